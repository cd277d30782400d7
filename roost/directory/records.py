"""What the directory holds, as it is shown: organizations, extensions, phones, nodes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class OrganizationName:
    """An organization by name, and what goes on with it.

    `doing` is `removal`, `change` (of its code, or of whether it is enabled) or None; `extensions_done` of about `extensions_total` are through.
    """

    code: str
    name: str
    enabled: bool
    doing: str | None
    extensions_done: int | None
    extensions_total: int | None

    @property
    def percent(self) -> int | None:
        """How much of what goes on is done; None: nothing goes on."""
        return percent_done(self.extensions_done, self.extensions_total) if self.doing else None


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """A tenant. `max_stay`, `daily_return` None: stays have no such end. `doing` and what follows are those of `OrganizationName`."""

    code: str
    name: str
    enabled: bool
    policy: str
    max_stay: timedelta | None
    daily_return: time | None
    timezone: str
    lock_after: int
    lock_for: timedelta
    phone_lock_after: int
    allows_weak_codes: bool
    extensions: int
    phones: int
    doing: str | None
    extensions_done: int | None
    extensions_total: int | None

    @property
    def percent(self) -> int | None:
        """How much of what goes on is done; None: nothing goes on."""
        return percent_done(self.extensions_done, self.extensions_total) if self.doing else None


def percent_done(done: int | None, total: int | None) -> int:
    """How much is done of what there is to do, about."""
    return min(100, 100 * (done or 0) // max(1, total or 0))


@dataclass(frozen=True, slots=True)
class ExtensionRecord:
    """A person's identity. `phone` is its own, `host` the one it is a guest on; None: none.

    `locked_until` is None unless it is locked now. `max_stay`, `daily_return` None: the organization's.
    """

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
    max_stay: timedelta | None
    daily_return: time | None
    phone: str | None
    host: str | None

    @property
    def key(self) -> str:
        """`0001*001`."""
        return f"{self.organization}*{self.number}"


@dataclass(frozen=True, slots=True)
class PhoneRecord:
    """A device. `base` and `guest` are extensions as `0001*001`; None: none. `locked_until` is None unless it is locked now."""

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


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A PBX of the cluster. Its secret is not shown. `username` is None where its kind has none."""

    name: str
    kind: str
    host: str
    port: int
    username: str | None
    options: dict[str, object]
    enabled: bool
    phones: int


@dataclass(frozen=True, slots=True)
class NodeLogin:
    """How a node is reached; `secret` is sealed."""

    name: str
    kind: str
    host: str
    port: int
    username: str
    secret: bytes
    options: dict[str, object]
