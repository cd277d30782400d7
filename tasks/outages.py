"""PostgreSQL and RabbitMQ as this process finds them: when one goes, and when it is back, with what came to nothing in between."""

from __future__ import annotations

import threading
import time

import structlog

from roost.errors import DatabaseUnavailable
from roost.schema import check_schema
from roost.version import WrongVersion

log = structlog.get_logger(__name__)


class Outage:
    """Thread-safe; `back` costs nothing while nothing is away. How often `gone` is written is bounded by workers/log_repeats.py.

    `gone_event` and `back_event` are what the log calls it.
    """

    def __init__(self, gone_event: str, back_event: str) -> None:
        self._gone_event, self._back_event = gone_event, back_event
        self._lock = threading.Lock()
        self._first = 0.0
        self._count = 0

    def gone(self, **about: object) -> None:
        """A task failed because PostgreSQL is away; it is logged with what `about` says of the task."""
        with self._lock:
            self._count += 1
        self.noticed(**about)

    def noticed(self, **about: object) -> None:
        """As `gone`, but no task has failed for it yet."""
        with self._lock:
            self._first = self._first or time.monotonic()
        log.warning(self._gone_event, **about)

    def back(self) -> None:
        """PostgreSQL answered. The first time after `gone`, it is logged how long it was away and how many tasks failed."""
        if not self._first:
            return
        with self._lock:
            first, count = self._first, self._count
            self._first, self._count = 0.0, 0
        if first:
            log.warning(self._back_event, away_seconds=round(time.monotonic() - first, 1), failed=count)


DATABASE = Outage("database_unavailable", "database_back")
BROKER = Outage("broker_lost", "broker_back")


def check_before_start(url: str) -> None:
    """Raises WrongVersion. A database that is away is logged, and no reason not to start: a worker waits for it."""
    try:
        check_schema(url)
    except WrongVersion:
        raise
    except DatabaseUnavailable as error:
        DATABASE.noticed(doing="starting", error=str(error))
