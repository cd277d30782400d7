"""Telephone calls with telephones: SIP phones that register at real Asterisk nodes, ring, and key tones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from demo.calls import CallFailed, Heard, Reached
from localcluster.asterisk import AsteriskNode
from localcluster.call_logs import ASKS_FOR_CODE, AsteriskLog, CenterLog
from localcluster.phones import Phone, PhoneFailed
from localcluster.process import ServiceFailed, wait_until

_STEP = 15.0

T = TypeVar("T")


class RealTelephones:
    """`lines`: the phone that is registered as (node, name). `center_logs`: the log of the center each node calls.

    One call to the center at a time on each node: what Asterisk and the center log meanwhile is of that call.
    """

    def __init__(
        self,
        nodes: Mapping[str, AsteriskNode],
        homes: Mapping[str, str],
        lines: Mapping[tuple[str, str], Phone],
        center_logs: Mapping[str, Path],
    ) -> None:
        self._nodes = nodes
        self._homes = homes
        self._lines = lines
        self._center_logs = center_logs

    def dial_center(
        self,
        phone: str,
        dialled: str,
        codes: Sequence[str] = (),
        *,
        node: str | None = None,
        at_once: threading.Barrier | None = None,
    ) -> Heard:
        """Dial, key tones when Asterisk plays the question, and listen until the center ends the call."""
        name = node or self._homes[phone]
        log, center = AsteriskLog(self._nodes[name]), CenterLog(self._center_logs[name])
        heard = Heard(waiting_since=time.monotonic())

        def talk() -> None:
            call = self._lines[name, phone].dial(dialled)
            call.wait_up()
            for place, digits in enumerate(codes, 1):
                _await(partial(_was_asked, log, place), f"question {place} for the code")
                if at_once is not None:
                    at_once.wait(_STEP)
                call.send_dtmf(f"{digits}#")
                heard.waiting_since = time.monotonic()
            _await(lambda: _announced(log), "an answer")
            heard.answered_at = time.monotonic()
            call.wait_over(30)

        _surely(talk)
        heard.prompts = log.prompts
        heard.asked = log.questions
        _surely(lambda: _await(lambda: center.outcomes, "the center's log of the call"))
        heard.outcome = center.outcomes[-1]
        return heard

    def dial(self, phone: str, number: str) -> Reached:
        """Dial; whoever rings answers, and both hang up."""
        return _surely(lambda: self._dial(phone, number))

    def _dial(self, phone: str, number: str) -> Reached:
        call = self._lines[self._homes[phone], phone].dial(number)
        wait_until(
            lambda: call.is_over or any(line.has_rung for line in self._lines.values()), _STEP, "a ring"
        )
        ringing = [(name, line) for (_, name), line in self._lines.items() if line.has_rung]
        if len(ringing) > 1:
            raise CallFailed(f"Several phones ring: {', '.join(name for name, _ in ringing)}.")
        if not ringing:
            return Reached(None)
        name, line = ringing[0]
        ring = line.wait_ring()
        ring.answer()
        call.wait_up()
        call.hang_up()
        ring.wait_over()
        return Reached(name, ring.caller_number)


def _was_asked(log: AsteriskLog, times: int) -> bool:
    return log.questions >= times


def _announced(log: AsteriskLog) -> bool:
    return any(prompt != ASKS_FOR_CODE for prompt in log.prompts)


def _await(condition: Callable[[], object], what: str) -> None:
    """Wait for it, looking more often than the cluster's own wait does: the time is shown in milliseconds."""
    ends = time.monotonic() + _STEP
    while not condition():
        if time.monotonic() > ends:
            raise CallFailed(f"No sign within {_STEP:g} s: {what}.")
        time.sleep(0.002)


def _surely(work: Callable[[], T]) -> T:
    try:
        return work()
    except (PhoneFailed, ServiceFailed, threading.BrokenBarrierError) as error:
        raise CallFailed(str(error) or type(error).__name__) from error
