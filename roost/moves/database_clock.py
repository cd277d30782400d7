"""The database's time, for a process that has no clock to trust and no connection to PostgreSQL.

Every answer carries the time at which the database gave it. That moment lies between asking and hearing, so
"it was now when I heard it" is never ahead of the truth: a request dated so looks older than it is, never younger.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from threading import Lock

#: An answer this much behind what we believe is no slow answer: the database's clock was set, or is another.
_STEP = timedelta(seconds=10)


class DatabaseClock:
    """Thread-safe. Unset until the first answer is observed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ahead: tuple[datetime, float] | None = None

    def observe(self, now: datetime, *, trust: bool = False) -> None:
        """An answer was heard just now. `trust`: believe it even if it is behind what we believe."""
        heard = time.monotonic()
        with self._lock:
            believed = self._at(heard)
            if trust or believed is None or now > believed or believed - now > _STEP:
                self._ahead = (now, heard)

    def now(self) -> datetime | None:
        """The database's time, or a little less; None before the first answer."""
        with self._lock:
            return self._at(time.monotonic())

    def _at(self, moment: float) -> datetime | None:
        if self._ahead is None:
            return None
        now, heard = self._ahead
        return now + timedelta(seconds=moment - heard)
