"""A question that a thread of its own asks again and again, while somebody wants to know the answer: everybody is told the last one.

So it is asked as often for hundreds of viewers as for one, and nobody waits for a part that stands still.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from roost.errors import BrokerUnavailable

T = TypeVar("T")

#: Seconds from one look to the next.
PAUSE = 0.3
#: What was seen is good for so many seconds.
GOOD_FOR = 3.0
#: Looks go on for so many seconds after somebody asked.
WANTED_FOR = 10.0

log = structlog.get_logger(__name__)


class Background(Generic[T]):
    """What `look` returned last. Thread-safe."""

    def __init__(self, look: Callable[[], T], name: str) -> None:
        self._look = look
        self._name = name
        self._seen: tuple[float, T] | None = None
        #: Why the last look came to nothing; None: it did not.
        self.failure: BrokerUnavailable | None = None
        self._wanted_until = 0.0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def seen(self, patience: float) -> T | None:
        """What was seen lately; when nothing was, what is seen within `patience` seconds. None: nothing is known."""
        with self._changed:
            self._wanted_until = time.monotonic() + WANTED_FOR
            self._changed.notify_all()
            self._changed.wait_for(self._is_good, patience)
            return self._seen[1] if self._seen and self._is_good() else None

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=2)

    def _is_good(self) -> bool:
        return self._seen is not None and time.monotonic() - self._seen[0] < GOOD_FOR

    def _run(self) -> None:
        while not self._closing.wait(PAUSE):
            with self._changed:
                self._changed.wait_for(
                    lambda: time.monotonic() < self._wanted_until or self._closing.is_set()
                )
            began = time.monotonic()
            try:
                found = self._look()
            except BrokerUnavailable as error:
                self.failure = error
                continue
            except Exception:
                # Whatever it is: without this thread nobody would be told anything any more.
                log.exception("fault", doing=f"looking at {self._name}")
                continue
            with self._changed:
                self._seen, self.failure = (began, found), None
                self._changed.notify_all()
