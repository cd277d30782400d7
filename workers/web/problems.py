"""Errors as the API tells them: RFC 9457 problem details with Roost's stable codes."""

from __future__ import annotations

import math
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from roost.directory.importing import ImportRefused
from roost.errors import Conflict, Invalid, NodeRefused, NotFound, RoostError, SettingMissing, Unavailable
from roost.moves.outcomes import GRANTED, NOTHING_TO_DO, Outcome
from roost.people.access import NotPermitted
from roost.people.sessions import NotSignedIn, WrongPassword
from roost.people.sign_in_limits import TooManyTries
from roost.people.tokens import BadToken

#: Seconds after which what is unavailable may be tried again.
RETRY_AFTER = 2
MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[RoostError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (NotPermitted, 403),
    (BadToken, 401),
    (NotSignedIn, 401),
    (WrongPassword, 401),
    (TooManyTries, 429),
    (Unavailable, 503),
    (NodeRefused, 502),
    (SettingMissing, 500),
)
_REFUSED = {
    Outcome.UNKNOWN_PHONE: (404, "There is no such phone, or it is not provisioned."),
    Outcome.UNKNOWN_EXTENSION: (404, "There is no such extension in this organization."),
    Outcome.NOT_ALLOWED: (409, "The phone's own extension does not allow virtualization."),
    Outcome.OCCUPIED: (409, "Another extension sits on the phone."),
    Outcome.NO_CODE: (409, "The extension has no secret code."),
    Outcome.TOO_LONG: (
        409,
        "No node could store it: name, mailbox and emergency location are too long together.",
    ),
    Outcome.PHONE_LOCKED: (409, "The phone is locked after too many wrong codes."),
    Outcome.LOCKED: (409, "The extension is locked after too many wrong codes."),
    Outcome.EXPIRED: (409, "The request came too late and was not done; make a new one."),
    Outcome.WEAK_CODE: (
        422,
        "Everybody tries that code first: choose one that is no run, repeat, date, keypad line or number of yours.",
    ),
    Outcome.BAD_REQUEST: (422, "The request is not valid."),
}
_BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
}


class Detail(BaseModel):
    """One thing that is wrong with the input."""

    where: str = Field(description="The field, or the line of a file.")
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details. `code` is stable; `title` and `detail` are for people."""

    type: str = Field(description="`urn:roost:` and the code.", examples=["urn:roost:occupied"])
    title: str
    status: int
    code: str
    errors: list[Detail] | None = Field(default=None, description="What is wrong, field by field.")


def refusal(outcome: Outcome) -> Problem | None:
    """The problem that a refused request is; None: its wish was granted, or there was nothing to do."""
    if outcome in GRANTED | NOTHING_TO_DO:
        return None
    status, title = _REFUSED[outcome]
    return problem(status, outcome.value, title)


def problem(status: int, code: str, title: str, errors: list[Detail] | None = None) -> Problem:
    """A problem of this status and code; its type is `urn:roost:` and the code."""
    return Problem(type=f"urn:roost:{code}", title=title, status=status, code=code, errors=errors)


def status_of(error: RoostError) -> int:
    """The HTTP status that goes with an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_of(error: RoostError) -> Problem:
    """The problem that an error is."""
    details = None
    if isinstance(error, ImportRefused):
        details = [Detail(where=f"line {f.line}", code=f.code, message=f.message) for f in error.faults]
    return problem(status_of(error), error.code, str(error), details)


def headers_of(error: RoostError) -> dict[str, str]:
    """The headers that go with an error."""
    if isinstance(error, TooManyTries):
        return {"Retry-After": str(math.ceil(error.wait))}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_AFTER)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, BadToken) else {}


def code_of_status(status: int) -> str:
    """The code of an error that HTTP itself makes."""
    return _BY_STATUS.get(status, "http_error")


def respond(found: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """The problem as an HTTP response."""
    content: dict[str, Any] = found.model_dump(exclude_none=True)
    return JSONResponse(content, found.status, headers, MEDIA_TYPE)
