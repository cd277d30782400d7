"""What can be asked of Roost, as it travels in a message, and what is answered.

Unknown fields are ignored and new ones have defaults, so that workers of two versions understand each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from roost.directory import fields
from roost.moves.outcomes import Outcome

RequestId = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=r"^[\x21-\x7e]+$")]
PhoneName = Annotated[str, fields.PHONE_NAME]
OrganizationCode = Annotated[str, fields.ORGANIZATION_CODE]
ShortNumber = Annotated[str, fields.SHORT_NUMBER]
CallId = Annotated[str, StringConstraints(max_length=120, pattern=r"^[\x21-\x7e]*$")]
Text = Annotated[str, fields.REASON]


class Request(BaseModel):
    """What every request names: its id, where it comes from, and when it was made, in the database's time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    request_id: RequestId
    origin: Literal["call", "web", "api", "cli", "system"]
    actor: Text = ""
    made_at: AwareDatetime
    reason: Text = ""

    @property
    def asked_from(self) -> str | None:
        """The phone it was dialled on; None when it is no call."""
        return None


class Dial(Request):
    """A call to the Center: `number` is what follows the feature code; empty to return."""

    origin: Literal["call"] = "call"
    call: CallId
    phone: PhoneName
    number: ShortNumber | Literal[""] = ""

    @property
    def asked_from(self) -> str | None:
        """The phone it was dialled on."""
        return self.phone


class Try(Request):
    """One try at the secret code, in a call. `sealed_code` opens only in a verify worker, for this request id (bound_ids.py)."""

    origin: Literal["call"] = "call"
    call: CallId
    phone: PhoneName
    number: ShortNumber
    sealed_code: Annotated[str, StringConstraints(max_length=1000)]

    @property
    def asked_from(self) -> str | None:
        """The phone it was dialled on."""
        return self.phone


class Virtualize(Request):
    """Put an extension on a phone. From a call, `call` names the one that holds the proof of the code."""

    call: CallId = ""
    phone: PhoneName
    number: ShortNumber
    #: Named by an administrator; a call takes its phone's organization.
    organization: OrganizationCode | None = None

    @property
    def asked_from(self) -> str | None:
        """The phone it was dialled on; None when an administrator asks."""
        return self.phone if self.origin == "call" else None


class Return(Request):
    """Bring an extension home."""

    organization: OrganizationCode
    number: ShortNumber


class SetCode(Request):
    """Set, replace or (`sealed_code` None) clear a secret code."""

    organization: OrganizationCode
    number: ShortNumber
    sealed_code: Annotated[str, StringConstraints(max_length=1000)] | None


class Answer(BaseModel):
    """What a request came to. `now` is the database's time, for who has no clock to trust; None: it did not say."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    request_id: str
    outcome: Outcome
    now: datetime | None = None
    extension: str | None = None
    phone: str | None = None
    displaced: str | None = None
    #: With BAD_REQUEST: its id was another request's (roost.moves.at_most_once.RequestIdReused). Askers of 0.1.0 know BAD_REQUEST alone.
    id_reused: bool = False
