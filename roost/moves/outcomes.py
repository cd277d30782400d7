"""What a request can come to: stable codes, the same by phone, page, API, command line and task."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome codes of the contract."""

    VIRTUALIZED = "virtualized"
    RETURNED = "returned"
    NOTHING_TO_RETURN = "nothing_to_return"
    ALREADY_HERE = "already_here"
    UNKNOWN_PHONE = "unknown_phone"
    UNKNOWN_EXTENSION = "unknown_extension"
    NOT_ALLOWED = "not_allowed"
    OCCUPIED = "occupied"
    NO_CODE = "no_code"
    #: No node could store what the phone would speak as.
    TOO_LONG = "too_long"
    #: Too many wrong codes were keyed on this phone; `*30` alone still works.
    PHONE_LOCKED = "phone_locked"
    LOCKED = "locked"
    WRONG_CODE = "wrong_code"
    DROPPED = "dropped"
    EXPIRED = "expired"
    #: The dialled string or the message is not a request at all; nothing is journaled.
    BAD_REQUEST = "bad_request"
    #: A call came to the Center with another feature code than the Center's own; nothing is journaled.
    FEATURE_CODE_DIFFERS = "feature_code_differs"
    #: The secret code is wanted; no outcome of a request, so never in the journal.
    CODE_NEEDED = "code_needed"
    #: The code was right; the request goes on to be bound.
    CODE_RIGHT = "code_right"
    #: The code must be compared, or compared once more, since it was replaced meanwhile; never leaves the verify worker.
    COMPARE_AGAIN = "compare_again"
    #: A secret code was set, or cleared.
    CODE_SET = "code_set"
    CODE_CLEARED = "code_cleared"
    #: Everybody would try that code first.
    WEAK_CODE = "weak_code"
    #: An administrator ended a lock.
    UNLOCKED = "unlocked"
    #: The answer to a question that is no request.
    NOTED = "noted"
    #: A part that is needed does not answer.
    UNAVAILABLE = "unavailable"


#: Outcomes that moved an extension: `is_move` in SQL.
CHANGED = frozenset({Outcome.VIRTUALIZED, Outcome.RETURNED})

#: Outcomes of a wish that was granted, or was granted before.
GRANTED = CHANGED | {Outcome.ALREADY_HERE, Outcome.CODE_SET, Outcome.CODE_CLEARED, Outcome.UNLOCKED}

#: Outcomes with which there was nothing to do.
NOTHING_TO_DO = frozenset({Outcome.ALREADY_HERE, Outcome.NOTHING_TO_RETURN})
