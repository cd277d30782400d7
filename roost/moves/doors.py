"""By which door a request came, and what may be asked there. The broker vouches for the door; the request itself could claim anything."""

from __future__ import annotations

from enum import StrEnum

from roost.moves.requests import Dial, Request, Try


class Door(StrEnum):
    """Where requests come from."""

    #: The centers: what a call can ask, and nothing else.
    CALLS = "calls"
    #: The page, the API and the command line, which know who signed in.
    DESK = "desk"
    #: The workers among themselves.
    WORKERS = "workers"


def may_ask(door: Door, request: Request) -> bool:
    """Whether this may be asked by that door."""
    match door:
        case Door.CALLS:
            return isinstance(request, Dial | Try)  # both are calls by their very form
        case Door.DESK:
            return request.origin != "system"
        case Door.WORKERS:
            return True
