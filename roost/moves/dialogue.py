"""The `*30` dialogue as a pure state machine: what happened in, what to do next out.

It knows neither AGI nor RabbitMQ. Whoever drives it performs each action in turn, and reports the outcome of
the last one. The same machine serves every front door at which a person keys digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from roost.moves.outcomes import Outcome

#: Seconds for each digit until what was keyed may be a whole code; and for one more from then on. The first is a multiple of the
#: second, since a PBX may have only one time for all digits of a command: then it asks for more until this much silence has passed.
KEYING_TIME, LAST_KEYING_TIME = 6, 3


@dataclass(frozen=True, slots=True)
class AskDial:
    """Send the dialled request (`number` empty: a return), then report `answered`."""

    number: str


@dataclass(frozen=True, slots=True)
class AskTry:
    """Send one try at the code, under a request id of its own, then report `answered`."""

    number: str
    digits: str


@dataclass(frozen=True, slots=True)
class Collect:
    """Ask for the secret code and report `keyed`; `again`: the last one was wrong. No input is reported as ''.

    A `#` ends it, and the last digit of the longest code does. Until there are as many digits as the shortest code has, each
    may take KEYING_TIME; then nobody waits longer than LAST_KEYING_TIME for one more.
    """

    again: bool


@dataclass(frozen=True, slots=True)
class End:
    """Announce the outcome and end the call."""

    outcome: Outcome


Action = AskDial | AskTry | Collect | End


class Dialogue:
    """One call to the Center."""

    def __init__(self, *, feature_code: str, dialled: str, tries: int) -> None:
        self._feature_code = feature_code
        self._dialled = dialled
        self._tries_left = tries
        self._number = ""

    def start(self) -> Action:
        """The call has come in. Some phones and gateways add a `#` to what was dialled or keyed."""
        if not self._dialled.startswith(self._feature_code):
            return End(Outcome.FEATURE_CODE_DIFFERS)
        self._number = self._dialled[len(self._feature_code) :].removesuffix("#")
        if not re.fullmatch(r"[0-9]{0,16}", self._number):
            return End(Outcome.BAD_REQUEST)
        return AskDial(self._number)

    def keyed(self, digits: str) -> Action:
        """The person keyed this; nothing in time is ''."""
        self._tries_left -= 1
        return AskTry(self._number, digits.removesuffix("#"))

    def answered(self, outcome: Outcome) -> Action:
        """The last request came to this. The database counts the tries; here they are only bounded."""
        if outcome is Outcome.CODE_NEEDED:
            return Collect(again=False)
        if outcome is Outcome.WRONG_CODE:
            return Collect(again=True) if self._tries_left > 0 else End(Outcome.DROPPED)
        return End(outcome)
