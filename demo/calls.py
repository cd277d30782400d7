"""Telephone calls without telephones: the center is called by FastAGI as Asterisk calls it, a route is looked up in the node."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from demo.cast import NOWHERE, View
from demo.nodes import Nodes
from workers.cli.fastagi_call import Call, CenterUnavailable, Play, place_call

#: So long, in seconds, two people wait for each other to key their codes at once.
_TOGETHER = 20.0


class CallFailed(Exception):
    """A call did not go as a call goes."""


@dataclass
class Heard:
    """What came of a call to the center. Times are those of time.monotonic()."""

    outcome: str = ""
    prompts: list[str] = field(default_factory=list)
    asked: int = 0
    #: When the caller had done their part: dialled, or keyed the last code.
    waiting_since: float = 0.0
    #: When the center began to say the outcome.
    answered_at: float = 0.0

    @property
    def took(self) -> float:
        """Seconds the caller waited for the answer."""
        return max(0.0, self.answered_at - self.waiting_since)


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a call rang: the phone, and the number it showed there. No phone: the caller heard that nobody is there."""

    phone: str | None
    shows: str = ""


class Telephones(Protocol):
    """How people telephone in the demo."""

    def dial_center(
        self,
        phone: str,
        dialled: str,
        codes: Sequence[str] = (),
        *,
        node: str | None = None,
        at_once: threading.Barrier | None = None,
    ) -> Heard:
        """Dial the center on a phone and key each code when asked. `at_once`: two key their code together.

        `node`: the node the phone calls through, when it is not its home. Raises CallFailed.
        """

    def dial(self, phone: str, number: str) -> Reached:
        """Dial an extension on a phone. Raises CallFailed."""


class SimulatedTelephones:
    """`homes`: the node of each phone. `centers`: HOST:PORT, by node."""

    def __init__(self, nodes: Nodes, homes: Mapping[str, str], centers: Mapping[str, str]) -> None:
        self._nodes = nodes
        self._homes = homes
        self._centers = centers

    def dial_center(
        self,
        phone: str,
        dialled: str,
        codes: Sequence[str] = (),
        *,
        node: str | None = None,
        at_once: threading.Barrier | None = None,
    ) -> Heard:
        """What Asterisk does with `AGI(agi://…/center,<node>,<phone>,<dialled>)`, and a person who keys codes."""
        node = node or self._homes[phone]
        host, _, port = self._centers[node].partition(":")
        keyed = iter(codes)
        heard = Heard(waiting_since=time.monotonic())

        def hear(play: Play) -> None:
            heard.prompts.append(play.prompt)
            if play.wants_digits:
                heard.asked += 1
            elif not heard.answered_at:
                heard.answered_at = time.monotonic()

        def key() -> str:
            if at_once is not None:
                at_once.wait(_TOGETHER)
            heard.waiting_since = time.monotonic()
            return next(keyed, "")

        call = Call(node, phone, dialled, f"{time.time():.6f}.{secrets.token_hex(4)}")
        try:
            heard.outcome = place_call(host, int(port), call, hear=hear, key=key)
        except (CenterUnavailable, threading.BrokenBarrierError) as error:
            raise CallFailed(str(error) or "The other caller did not come.") from error
        return heard

    def dial(self, phone: str, number: str) -> Reached:
        """Look the number up in the phone's own node, as its dialplan would."""
        view: View = self._nodes.view(self._homes[phone])
        place = view.rings.get(number, NOWHERE)
        rings = None if place == NOWHERE else place.partition("/")[2]
        return Reached(rings, view.speaks.get(phone, "") if rings else "")
