"""The stopwatch of the tests: it goes with the clock, but for what keeps everybody waiting."""

from __future__ import annotations

import time

from tests.cluster import wait_until
from tests.stopwatch import stopwatch


def test_it_goes_on_and_is_never_ahead_of_the_clock() -> None:
    began = time.monotonic()
    with stopwatch() as seconds:
        wait_until(lambda: seconds() > 0.1, "it goes on", 60)
        assert seconds() < time.monotonic() - began


def test_what_stops_everybody_does_not_count() -> None:
    with stopwatch() as seconds:
        wait_until(lambda: seconds() > 0, "it goes on", 60)
        before, began = seconds(), time.monotonic()
        assert pow(3, 600_000) > 0  # one step of Python: no other thread runs meanwhile
        held = time.monotonic() - began
        assert seconds() - before < held / 2 + 0.015
