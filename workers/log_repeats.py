"""What a process says again and again while a part is away: at first, and then once a minute with how often it was so.

Without it a PostgreSQL, a RabbitMQ or a node that is away for a day fills the log: each sweep, push and try to connect says it.
"""

from __future__ import annotations

import logging
import threading
import time

#: Seconds from one such line to the next like it.
EVERY = 60.0
#: Different lines that are remembered; when there are more, all are forgotten, and said again.
MOST = 1000

#: Of our own events, those that say that a part is away. What somebody asked for, and what is wrong with it, is said each time.
AWAY = frozenset(
    {
        "answer_lost", "announce_failed", "audit_broke_off", "broker_lost", "database_unavailable", "fault",
        "live_view_interrupted", "no_time", "node_of_another_database", "queue_refused", "sweep_failed",
    }
)  # fmt: skip
_OURS = ("roost", "tasks", "workers")
#: What says something at each connection, also where one connection after the other ends.
_AT_EACH_CONNECTION = ("celery.worker.consumer.connection", "celery.worker.consumer.tasks")
#: Of these the same line may be said of several things, each for itself.
_OF = ("task", "node", "doing", "code", "error", "watched")


class Repeats(logging.Filter):
    """For a handler. Lets a line pass, or counts it; thread-safe, as handlers are asked under no lock."""

    def __init__(self, every: float = EVERY) -> None:
        super().__init__()
        self._every = every
        self._lock = threading.Lock()
        self._said: dict[object, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said now. The next one like it tells how many were not."""
        key = _key(record)
        if key is None:
            return True
        now = time.monotonic()
        with self._lock:
            at, unsaid = self._said.get(key, (float("-inf"), 0))
            if now - at < self._every:
                self._said[key] = (at, unsaid + 1)
                return False
            if len(self._said) >= MOST:
                self._said.clear()
            self._said[key] = (now, 0)
        if unsaid and isinstance(record.msg, dict):
            record.msg["unsaid"] = unsaid
        elif unsaid:
            record.msg = f"{record.msg} (and {unsaid} times since it was last said)"
        return True


def _key(record: logging.LogRecord) -> object | None:
    """What makes two lines alike; None: each is said."""
    if record.levelno < logging.WARNING and record.name not in _AT_EACH_CONNECTION:
        return None
    if isinstance(record.msg, dict):
        event = record.msg.get("event")
        return (event, *(str(record.msg.get(name)) for name in _OF)) if event in AWAY else None
    return None if record.name.partition(".")[0] in _OURS else (record.name, str(record.msg))
