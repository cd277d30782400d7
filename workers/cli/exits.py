"""Exit codes: what kind of end a command came to."""

from __future__ import annotations

from enum import IntEnum

from roost.errors import Conflict, Invalid, NodeRefused, NotFound, RoostError, SettingMissing, Unavailable
from roost.moves.outcomes import Outcome


class Exit(IntEnum):
    """How a command ended. Every command uses these codes; docs/cli.md has the table."""

    DONE = 0
    #: `doctor`, `audit` and `status`: something is worth a look, and nothing is broken.
    WARNING = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    CONFLICT = 5
    UNAVAILABLE = 6
    #: A setting is missing, `doctor` found something broken, or a node is not as it should be.
    BROKEN = 7


_BY_ERROR: tuple[tuple[type[RoostError], Exit], ...] = (
    (NotFound, Exit.NOT_FOUND),
    (Conflict, Exit.CONFLICT),
    (Invalid, Exit.USAGE),
    (Unavailable, Exit.UNAVAILABLE),
    (SettingMissing, Exit.BROKEN),
    (NodeRefused, Exit.BROKEN),
)

_BY_OUTCOME = {
    Outcome.VIRTUALIZED: Exit.DONE,
    Outcome.RETURNED: Exit.DONE,
    Outcome.ALREADY_HERE: Exit.DONE,
    Outcome.NOTHING_TO_RETURN: Exit.DONE,
    Outcome.CODE_SET: Exit.DONE,
    Outcome.CODE_CLEARED: Exit.DONE,
    Outcome.UNKNOWN_PHONE: Exit.NOT_FOUND,
    Outcome.UNKNOWN_EXTENSION: Exit.NOT_FOUND,
    Outcome.BAD_REQUEST: Exit.USAGE,
    Outcome.FEATURE_CODE_DIFFERS: Exit.USAGE,
    Outcome.EXPIRED: Exit.UNAVAILABLE,
    Outcome.UNAVAILABLE: Exit.UNAVAILABLE,
}


def exit_of_error(error: RoostError) -> Exit:
    """The exit code that goes with an error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.BROKEN)


def exit_of_outcome(outcome: Outcome) -> Exit:
    """The exit code that goes with an outcome; what has none of its own was refused by a rule."""
    return _BY_OUTCOME.get(outcome, Exit.REFUSED)
