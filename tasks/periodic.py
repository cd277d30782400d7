"""What the beat asks for. Each may run any number of times at once: two beats do no harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog
from celery import schedules

from roost.directory.organization_steps import take_some_steps
from roost.errors import DatabaseUnavailable
from roost.moves.pruning import prune
from roost.nodes import routes
from roost.nodes.holding import longest_delay
from roost.settings import settings
from tasks import resources
from tasks.app import app
from tasks.broker import BROKER_LOST
from tasks.measures import SWEPT
from tasks.outages import DATABASE
from tasks.topology import ANNOUNCE, BIND
from tasks.wake import ANNOUNCE_TASK, wake_nodes

END_STAYS = "roost.end_stays"

#: When this machine's monotonic clock showed 0, as far as the other one was right when the process began.
_ZERO = datetime.now(UTC) - timedelta(seconds=time.monotonic())

log = structlog.get_logger(__name__)


@app.task(name=ANNOUNCE_TASK)
def sweep() -> None:
    """Number what was left behind; wake whom it concerns, and every node that was not looked at lately.

    Then a few steps for large organizations, for whom whoever began them may be gone.
    """
    try:
        longest = longest_delay(settings().node_retry_max)
        found = routes.sweep(resources.database(), settings().sweep_every, longest)
        wake_nodes(found.nodes)
        while found.more:
            found = routes.announce(resources.database())
            wake_nodes(found.nodes)
        take_some_steps(resources.database(), settings().sweep_every / 2)
        SWEPT.set_to_current_time()
        DATABASE.back()
    except DatabaseUnavailable as error:
        DATABASE.gone(task=ANNOUNCE_TASK, error=str(error))
    except BROKER_LOST as error:
        log.warning("sweep_failed", error=type(error).__name__)


@app.task(name=END_STAYS)
def end_stays() -> None:
    """Send home whose stay is over, and prune what is old, also when something keeps stays from ending."""
    try:
        with _database_may_be_away():
            resources.stays().end_due(settings().stays_every / 2, resources.announcer().changed)
    finally:
        with _database_may_be_away():
            prune(resources.database(), settings().journal_keep_days)


@contextmanager
def _database_may_be_away() -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailable as error:
        DATABASE.gone(task=END_STAYS, error=str(error))


def schedule() -> dict[str, dict[str, object]]:
    """What the beat sends, and how often."""
    return {
        "sweep": _every(ANNOUNCE_TASK, settings().sweep_every, ANNOUNCE),
        "end_stays": _every(END_STAYS, settings().stays_every, BIND),
    }


def _every(task: str, seconds: float, queue: str) -> dict[str, object]:
    return {
        "task": task,
        "schedule": schedules.schedule(timedelta(seconds=seconds), nowfun=_steady_now),
        "options": {"queue": queue, "ignore_result": True, "retry": False},
    }


def _steady_now() -> datetime:
    """A time that goes on evenly. By the clock on the wall nothing would be due for an hour once it is set back by an hour."""
    return _ZERO + timedelta(seconds=time.monotonic())
