"""What a caller hears: the core sounds that every Asterisk has, or an operator's own recordings."""

from __future__ import annotations

from roost.moves.outcomes import Outcome

#: Asks for the code.
ASK_CODE = "agent-pass"

#: Stands in a list of sounds for the number that moved, digit by digit.
NUMBER = ""

#: Each differs from every other, by ear, and none is the beginning of another. What moved is said by number. The same in words, for recordings: asterisk/recordings.en.toml.
_CORE_SOUNDS: dict[Outcome, tuple[str, ...]] = {
    Outcome.VIRTUALIZED: ("agent-loginok", "extension", NUMBER),
    Outcome.ALREADY_HERE: ("extension", NUMBER, "enabled"),
    Outcome.RETURNED: ("agent-loggedoff", "extension", NUMBER),
    Outcome.NOTHING_TO_RETURN: ("cancelled", "goodbye"),
    Outcome.UNKNOWN_PHONE: ("sorry", "feature-not-avail-line"),
    Outcome.NOT_ALLOWED: ("extension", "disabled"),
    Outcome.UNKNOWN_EXTENSION: ("pbx-invalid", "goodbye"),
    Outcome.BAD_REQUEST: ("cannot-complete-as-dialed", "check-number-dial-again"),
    Outcome.OCCUPIED: ("extension", "is-in-use", "goodbye"),
    Outcome.NO_CODE: ("vm-password", "disabled"),
    Outcome.WRONG_CODE: ("vm-incorrect",),
    Outcome.DROPPED: ("vm-incorrect", "goodbye"),
    Outcome.FEATURE_CODE_DIFFERS: ("feature-not-avail-line", "goodbye"),
    Outcome.TOO_LONG: ("extension", "cannot-complete-as-dialed"),
    Outcome.PHONE_LOCKED: ("feature-not-avail-line", "please-try-call-later"),
    Outcome.LOCKED: ("vm-password", "de-activated"),
    Outcome.EXPIRED: ("please-try-again",),
    Outcome.UNAVAILABLE: ("sorry", "please-try-call-later"),
}

_SAYS_NUMBER = {outcome for outcome, sounds in _CORE_SOUNDS.items() if NUMBER in sounds}


def prompts_of(outcome: Outcome, prefix: str) -> tuple[str, ...]:
    """The sounds that announce an outcome; with a prefix such as `roost/`, one recording named after its code.

    NUMBER among them is the place of the number that moved.
    """
    if not prefix:
        return _CORE_SOUNDS[outcome]
    recording = f"{prefix}{outcome.value}"
    return (recording, NUMBER) if outcome in _SAYS_NUMBER else (recording,)


def ask_prompt(prefix: str) -> str:
    """The sound that asks for the code."""
    return f"{prefix}code" if prefix else ASK_CODE


def wrong_prompt(prefix: str) -> str:
    """The sound that says that the code was wrong, before it is asked for again."""
    return prompts_of(Outcome.WRONG_CODE, prefix)[0]
