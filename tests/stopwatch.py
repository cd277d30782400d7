"""Seconds for promises such as "within a second", on machines that do other things as well."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: What the thread does in turn, in seconds: it sleeps and computes, as the processes under test do.
_SLEEP, _WORK = 0.01, 0.001
#: What a quiet machine may add to both.
_SLACK = 0.0005


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """The seconds since then, without those for which the machine kept everybody waiting.

    A thread notes how much later it is run than it asked for: that does not count, for whatever is tested was late by the same cause. On a
    quiet machine these are the clock's seconds. A program that waits for something of its own, or has more to do than it should, is late by them.
    """
    over = threading.Event()
    counted = 0.0

    def run() -> None:
        nonlocal counted
        while not over.is_set():
            began, worked = time.monotonic(), time.thread_time()
            time.sleep(_SLEEP)
            while time.thread_time() - worked < _WORK:
                pass
            counted += min(time.monotonic() - began, _SLEEP + _WORK + _SLACK)

    thread = threading.Thread(target=run, name="stopwatch")
    thread.start()
    try:
        yield lambda: counted
    finally:
        over.set()
        thread.join()
