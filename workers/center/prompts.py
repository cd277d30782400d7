"""What a caller hears: the core sounds that every Asterisk has, or an operator's own recordings."""

from __future__ import annotations

from roost.moves.outcomes import Outcome

#: Asks for the code; and says that it was wrong, and asks again.
ASK_CODE, ASK_AGAIN = "agent-pass", "auth-incorrect"

_SORRY = ("sorry", "please-try-call-later")

_CORE_SOUNDS: dict[Outcome, tuple[str, ...]] = {
    Outcome.VIRTUALIZED: ("agent-loginok",),
    Outcome.ALREADY_HERE: ("agent-loginok",),
    Outcome.RETURNED: ("agent-loggedoff",),
    Outcome.NOTHING_TO_RETURN: ("agent-loggedoff",),
    Outcome.UNKNOWN_PHONE: ("feature-not-avail-line",),
    Outcome.NOT_ALLOWED: ("feature-not-avail-line",),
    Outcome.UNKNOWN_EXTENSION: ("pbx-invalid", "goodbye"),
    Outcome.BAD_REQUEST: ("pbx-invalid", "goodbye"),
    Outcome.OCCUPIED: ("extension", "is-in-use", "goodbye"),
    Outcome.NO_CODE: ("vm-incorrect", "goodbye"),
    Outcome.WRONG_CODE: ("vm-incorrect", "goodbye"),
    Outcome.DROPPED: ("vm-incorrect", "goodbye"),
    Outcome.TOO_LONG: ("feature-not-avail-line",),
    Outcome.LOCKED: _SORRY,
    Outcome.EXPIRED: _SORRY,
    Outcome.UNAVAILABLE: _SORRY,
}


def prompts_of(outcome: Outcome, prefix: str) -> tuple[str, ...]:
    """The sounds that announce an outcome; with a prefix such as `roost/`, one recording named after its code."""
    return (f"{prefix}{outcome.value}",) if prefix else _CORE_SOUNDS[outcome]


def ask_prompt(*, again: bool, prefix: str) -> str:
    """The sound that asks for the code."""
    if prefix:
        return f"{prefix}{'code_again' if again else 'code'}"
    return ASK_AGAIN if again else ASK_CODE
