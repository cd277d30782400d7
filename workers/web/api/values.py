"""Single values as the API takes and gives them. Durations are written `8h`, times of day `18:30`, as on the command line."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from roost.directory import fields
from roost.directory.fields import format_duration, parse_duration
from roost.directory.rules import BadField


def _as_duration(value: object) -> object:
    return format_duration(value) if isinstance(value, timedelta) else value


def _as_wall_clock(value: object) -> object:
    return value.strftime("%H:%M") if isinstance(value, time) else value


def _valid_duration(text: str) -> str:
    try:
        parse_duration(text)
    except BadField as error:
        raise ValueError(str(error)) from None
    return text


EmergencyLocation = Annotated[
    str, fields.EMERGENCY_LOCATION, Field(description="At most 256 bytes of UTF-8.")
]
Code = Annotated[str, fields.ORGANIZATION_CODE, Field(examples=["0001"])]
Key = Annotated[str, fields.EXTENSION_KEY, Field(examples=["0001*001"])]
PhoneName = Annotated[str, fields.PHONE_NAME, Field(examples=["desk001"])]
NodeName = Annotated[str, fields.NODE_NAME, Field(examples=["n1"])]
Login = Annotated[str, fields.LOGIN, Field(examples=["ann"])]
DisplayName = Annotated[str, fields.DISPLAY_NAME]
Search = Annotated[str, fields.SEARCH, Field(min_length=1)]
Reason = Annotated[str, fields.REASON, Field(description="Why; the journal keeps it.")]
SecretCode = Annotated[str, fields.SECRET_CODE, Field(description="4 to 8 digits.", examples=["24713"])]
Duration = Annotated[str, fields.DURATION, AfterValidator(_valid_duration), Field(examples=["8h", "1d12h"])]
ShownDuration = Annotated[str, BeforeValidator(_as_duration), Field(examples=["8h", "1d12h"])]
WallClock = Annotated[str, fields.WALL_CLOCK, BeforeValidator(_as_wall_clock), Field(examples=["18:30"])]
Moment = Annotated[
    AwareDatetime, Field(description="RFC 3339, with a time zone.", examples=["2026-03-02T14:05:00Z"])
]
