"""What the API takes and gives, as objects; their values are those of `values.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from roost.directory import fields
from roost.directory.fields import parse_duration, parse_wall_clock
from roost.views.whereabouts import PhonePlace
from workers.web.api.values import (
    Code,
    DisplayName,
    Duration,
    EmergencyLocation,
    Key,
    NodeName,
    PhoneName,
    Reason,
    SecretCode,
    ShownDuration,
    WallClock,
)

T = TypeVar("T")


class Shown(BaseModel):
    """What is shown is read from the core's records."""

    model_config = ConfigDict(from_attributes=True)


class Given(BaseModel):
    """What is given: a field that does not exist is refused, so that a typing mistake is heard of."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """The fields that were given, as the core takes them."""
        values = self.model_dump(exclude_unset=True)
        for name in ("max_stay", "lock_for"):
            if values.get(name) is not None:
                values[name] = parse_duration(values[name])
        if values.get("daily_return") is not None:
            values["daily_return"] = parse_wall_clock(values["daily_return"])
        return values


class Page(BaseModel, Generic[T]):
    """A part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[T]
    next: str | None = None


class Answer(Shown):
    """What a request came to. A wish that was granted before, or needed nothing, is no error."""

    outcome: str = Field(examples=["virtualized"])
    request_id: str
    extension: str | None = None
    phone: str | None = None
    displaced: str | None = Field(default=None, description="The guest that was sent home to make room.")


class Organization(Shown):
    """A tenant. `doing`: `removal`, or a `change` of its code or of whether it is enabled, goes on, and how far it is."""

    code: str
    name: str
    enabled: bool
    policy: str
    max_stay: ShownDuration | None
    daily_return: WallClock | None
    timezone: str
    lock_after: int
    lock_for: ShownDuration
    phone_lock_after: int
    allows_weak_codes: bool
    extensions: int
    phones: int
    doing: str | None
    extensions_done: int | None
    extensions_total: int | None


class OrganizationChange(Given):
    """What may be set on an organization; null takes an end of stays away. With another `code` it is renamed."""

    code: Code = ""
    name: DisplayName = ""
    enabled: bool = True
    policy: Annotated[str, fields.POLICY] = "refuse"
    max_stay: Duration | None = None
    daily_return: WallClock | None = None
    timezone: Annotated[str, fields.TIMEZONE] = "UTC"
    lock_after: Annotated[int, Field(ge=fields.LOCK_AFTER.least, le=fields.LOCK_AFTER.most)] = 27
    lock_for: Duration = "15m"
    phone_lock_after: Annotated[
        int, Field(ge=fields.PHONE_LOCK_AFTER.least, le=fields.PHONE_LOCK_AFTER.most)
    ] = 9
    allows_weak_codes: Annotated[
        bool, Field(description="Whether codes that everybody tries first, such as 1234, may be set.")
    ] = False


class NewOrganization(OrganizationChange):
    """An organization to add."""

    code: Code


class Extension(Shown):
    """A person's identity. `phone` is its own, `host` the one it is a guest on."""

    key: str
    organization: str
    number: str
    name: str
    enabled: bool
    allows_virtualization: bool
    account_code: str
    mailbox: str
    has_code: bool
    code_set_at: datetime | None
    failed_codes: int
    locked_until: datetime | None
    max_stay: ShownDuration | None
    daily_return: WallClock | None
    phone: str | None
    host: str | None


class ExtensionChange(Given):
    """What may be set on an extension; an end of stays that is null is the organization's."""

    name: DisplayName = ""
    enabled: bool = True
    allows_virtualization: bool = False
    account_code: Annotated[str, fields.ACCOUNT_CODE] = ""
    mailbox: Annotated[str, fields.MAILBOX] = ""
    max_stay: Duration | None = None
    daily_return: WallClock | None = None


class NewExtension(ExtensionChange):
    """An extension to add."""

    extension: Key


class Phone(Shown):
    """A device. `base` is the extension it is provisioned with, `guest` the one that sits there."""

    name: str
    organization: str
    node: str
    base: str | None
    guest: str | None
    guest_since: datetime | None
    emergency_number: str
    emergency_location: str
    enabled: bool
    failed_codes: int
    locked_until: datetime | None


class PhoneChange(Given):
    """What may be set on a phone; `base` null: it has no extension then."""

    base: Key | None = None
    emergency_number: Annotated[str, fields.EMERGENCY_NUMBER] = ""
    emergency_location: EmergencyLocation = ""
    enabled: bool = True
    node: NodeName = ""


class NewPhone(PhoneChange):
    """A phone to add."""

    name: PhoneName
    organization: Code
    node: NodeName


class WhereExtension(Shown):
    """Where an extension rings and why."""

    extension: str
    name: str
    why: str = Field(examples=["at_home", "virtualized", "hosts_guest", "no_phone"])
    phone: str | None
    node: str | None
    since: datetime | None
    until: datetime | None
    own_phone: str | None
    own_node: str | None
    guest: str | None
    guest_name: str | None
    guest_since: datetime | None
    locked_until: datetime | None


class WherePhone(Shown):
    """Who a phone acts as."""

    phone: str
    organization: str
    node: str
    enabled: bool
    acts_as: str | None
    acts_as_name: str | None
    base: str | None
    base_name: str | None
    base_phone: str | None
    base_node: str | None
    guest: str | None
    guest_name: str | None
    since: datetime | None
    until: datetime | None
    locked_until: datetime | None


class Display(Shown):
    """Who sits at a phone: what its display may say. No `number`: nobody, it is not provisioned or disabled."""

    phone: str
    organization: str
    number: str | None
    name: str | None
    guest: bool

    @classmethod
    def of(cls, place: PhonePlace) -> Display:
        """From where the phone is now."""
        number = place.acts_as.partition("*")[2] if place.acts_as else None
        return cls(
            phone=place.phone, organization=place.organization, number=number, name=place.acts_as_name,
            guest=place.guest is not None,
        )  # fmt: skip


class Occupant(Shown):
    """Who was on a phone at a time: `guest`, or its own extension when null."""

    phone: str
    at: datetime
    guest: str | None
    base: str | None
    since: datetime | None
    until: datetime | None
    certain: bool = Field(description="False: the journal does not reach back so far.")


class JournalEntry(Shown):
    """One request and what it came to."""

    request_id: str
    at: datetime
    made_at: datetime | None
    origin: str
    actor: str
    operation: str
    organization: str | None
    extension: str | None
    phone: str | None = Field(description="The phone moved onto, or for `returned` the one that was left.")
    outcome: str
    reason: str
    left_phone: str | None = Field(description="The phone that who was virtualized left.")
    displaced: str | None
    asked_from: str | None = Field(description="The phone that dialled; null when it was no call.")


class Why(Given):
    """Why something is done."""

    reason: Reason = ""


class Move(Why):
    """Where an extension is to sit."""

    phone: PhoneName


class NewCode(Given):
    """A secret code."""

    code: SecretCode
