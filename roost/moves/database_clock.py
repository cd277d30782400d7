"""The database's time, for a process that has no clock to trust and no connection to PostgreSQL.

Every answer carries the time at which the database gave it. That moment lies between asking and hearing, so
"it was now when I heard it" is never ahead of the truth: a request dated so looks older than it is, never younger.
But a machine's clock may run faster than the database's, so what was heard is good for a while only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

#: An answer this much behind what we believe is no slow answer: the database's clock was set, or is another.
_STEP = timedelta(seconds=10)
#: Seconds for which what was heard is good: two clocks part by milliseconds in that time. Then the next answer counts, however slow it was.
_GOOD_FOR = 30.0


class DatabaseClock:
    """Thread-safe. Unset until the first answer is observed. `monotonic`: the clock of this machine."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._ahead: tuple[datetime, float] | None = None

    def observe(self, now: datetime, *, trust: bool = False) -> None:
        """An answer was heard just now. `trust`: believe it even if it is behind what we believe."""
        heard = self._monotonic()
        with self._lock:
            believed = self._at(heard)
            if (
                trust
                or believed is None
                or now > believed
                or believed - now > _STEP
                or not self._is_good(heard)
            ):
                self._ahead = (now, heard)

    def now(self) -> datetime | None:
        """The database's time, or a little less, however long ago it was heard; None before the first answer."""
        with self._lock:
            return self._at(self._monotonic())

    def good_now(self) -> datetime | None:
        """The same, if it was heard lately; else None: ask anew."""
        with self._lock:
            moment = self._monotonic()
            return self._at(moment) if self._is_good(moment) else None

    def _at(self, moment: float) -> datetime | None:
        if self._ahead is None:
            return None
        now, heard = self._ahead
        return now + timedelta(seconds=moment - heard)

    def _is_good(self, moment: float) -> bool:
        return self._ahead is not None and moment - self._ahead[1] < _GOOD_FOR
