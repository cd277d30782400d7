"""What libraries log of a RabbitMQ or a PostgreSQL that is away, in our words: one line, with the cause and what mends it.

Theirs is a traceback, or several lines, or none that says what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg
import structlog

from roost.not_reached import how_to_reach, why_not_reached
from tasks.broker import BROKER_LOST, why_broker_lost
from tasks.outages import DATABASE

#: Loggers that libraries write to of connections of theirs; what a task raises is not among it.
_OF_BROKER = ("celery.beat", "celery.worker", "kombu", "amqp", "tasks.together", "workers.celery_worker")
_OF_DATABASE = ("psycopg",)
#: What somebody was doing that logs there; others are called by their logger.
_DOING = {
    "celery.worker.consumer.consumer": "taking messages",
    "celery.worker.request": "acknowledging",
    "tasks.together": "acknowledging",
    "psycopg.pool": "connecting",
}

log = structlog.get_logger(__name__)


class InOurWords(logging.Filter):
    """For a handler: holds such a line back, and logs ours in its place."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written as it is."""
        if record.levelno < logging.WARNING or isinstance(record.msg, dict):
            return True
        doing = _DOING.get(record.name, record.name)
        for error in _errors(record):
            if _is_of(record, _OF_BROKER) and isinstance(error, BROKER_LOST):
                log.warning(
                    "broker_lost", doing=doing, error=type(error).__name__, why=why_broker_lost(error)
                )
                return False
            if _is_of(record, _OF_DATABASE) and isinstance(error, psycopg.OperationalError):
                why = why_not_reached(error)
                DATABASE.noticed(doing=doing, error=why, mend=how_to_reach(why))
                return False
        return True


def _is_of(record: logging.LogRecord, loggers: tuple[str, ...]) -> bool:
    return any(record.name == name or record.name.startswith(f"{name}.") for name in loggers)


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    """The errors that a record speaks of: what it was given, and what they came of."""
    given = [*(record.args if isinstance(record.args, tuple) else ()), *(record.exc_info or ())]
    for each in given:
        error = each if isinstance(each, BaseException) else None
        while error is not None:
            yield error
            error = error.__cause__ or error.__context__
