"""PostgreSQL as the tasks of this process find it: when it goes, and when it is back, with what came to nothing in between."""

from __future__ import annotations

import threading
import time

import structlog

log = structlog.get_logger(__name__)


class Outage:
    """Thread-safe; `back` costs nothing while nothing is away. How often `gone` is written is bounded by workers/log_repeats.py."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first = 0.0
        self._count = 0

    def gone(self, **about: object) -> None:
        """A task failed because PostgreSQL is away; it is logged with what `about` says of the task."""
        with self._lock:
            self._first = self._first or time.monotonic()
            self._count += 1
        log.warning("database_unavailable", **about)

    def back(self) -> None:
        """PostgreSQL answered. The first time after `gone`, it is logged how long it was away and how many tasks failed."""
        if not self._count:
            return
        with self._lock:
            first, count = self._first, self._count
            self._first, self._count = 0.0, 0
        if count:
            log.warning("database_back", away_seconds=round(time.monotonic() - first, 1), failed=count)


DATABASE = Outage()
