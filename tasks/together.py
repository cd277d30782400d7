"""Moves that wait are taken together: one transaction settles them, then each is answered and acknowledged.

Celery receives a task whose `Strategy` is `strategy` like any other. But instead of running each message, a bind worker keeps the messages
that it was sent, and one thread of Celery's pool, or two, takes all that wait, again and again. A job that comes alone is settled at once; a job waits
only while others are being settled, and for a moment after several were. Whatever is not a plain move (a message that is malformed, came by a
door that may not ask for it, or was delivered before), and every job of a transaction that failed, is run by Celery alone, by the task itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from celery import Celery, Task
from celery.worker.consumer import Consumer
from celery.worker.strategy import default
from pydantic import ValidationError

from roost.database import Conflicting
from roost.errors import DatabaseTooSlow, DatabaseUnavailable
from roost.moves.binding import Move
from roost.moves.doors import may_ask
from roost.moves.outcomes import CHANGED, Outcome
from roost.moves.requests import Answer
from tasks import measures, resources
from tasks.doors import door_of
from tasks.outages import DATABASE
from tasks.replies import send_answers

#: Most jobs in one transaction. It takes some milliseconds, during which others may wait for its rows.
MOST = 32
#: Transactions at a time, and how many moves must wait for another to begin: a smaller one would cost each of them more. While one is in PostgreSQL,
#: the other's messages are read and answered.
AT_ONCE, ENOUGH = 2, 24
#: Seconds after several were answered together until the next are taken, unless as many wait already: those who were answered ask again, one
#: after the other, and a transaction costs much the same for few as for more. Who comes alone never waits for it.
PAUSE = 0.002

log = structlog.get_logger(__name__)
_celery_log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A move that waits; `settle_alone` hands its message to Celery."""

    request: Move
    message: Any
    acknowledge: Callable[[], object]
    settle_alone: Callable[[], object]


class Together:
    """The jobs of one task that came over one connection and wait.

    `start` runs something in another thread; `settle_jobs` settles some jobs (`settle`), and `rest` waits for some seconds.
    """

    def __init__(
        self,
        task: str,
        start: Callable[[Callable[[], None]], object],
        settle_jobs: Callable[[str, list[Job]], None],
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._task = task
        self._start = start
        self._settle = settle_jobs
        self._rest = rest
        self._waiting: deque[Job] = deque()
        self._lock = threading.Lock()
        self._running = 0

    def add(self, job: Job) -> None:
        """Have the job settled: at once if nothing is being settled, otherwise together with all that wait then, or with enough."""
        with self._lock:
            self._waiting.append(job)
            begins = not self._running or (self._running < AT_ONCE and len(self._waiting) >= ENOUGH)
            self._running += begins
        if begins:
            self._start(self._run)

    def _run(self) -> None:
        while jobs := self._take():
            try:
                with measures.BUSY.track_inprogress():
                    self._settle(self._task, jobs)
            except Exception as error:  # noqa: BLE001 - whatever it is, each of them alone is answered or logged by its own task
                log.info("taken_one_by_one", task=self._task, jobs=len(jobs), error=type(error).__name__)
                for job in jobs:
                    job.settle_alone()
            if len(jobs) > max(1, len(self._waiting)):
                self._rest(PAUSE)

    def _take(self) -> list[Job]:
        with self._lock:
            jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
            self._running -= not jobs
        return jobs


def settle(task: str, jobs: list[Job]) -> None:
    """Settle the jobs in one transaction, then answer and acknowledge each. When it raises, none was done, or it is safe to do them again."""
    taken, began = time.time(), time.perf_counter()
    try:
        answers = resources.binding().together([job.request for job in jobs])
        DATABASE.back()
    except (Conflicting, DatabaseTooSlow):
        raise
    except DatabaseUnavailable as error:
        DATABASE.gone(task=task, error=str(error), jobs=len(jobs))
        answers = [Answer(request_id=job.request.request_id, outcome=Outcome.UNAVAILABLE) for job in jobs]
    answered = list(zip(jobs, answers, strict=True))
    send_answers([(job.message.properties.get("reply_to"), answer) for job, answer in answered])
    if any(answer.outcome in CHANGED for answer in answers):
        resources.announcer().changed()
    for job in jobs:  # at one time, so that they go in one frame
        job.acknowledge()
    for job, answer in answered:
        measures.waited(job.message.headers.get("sent_at"), task, taken)
        measures.ran(job.message, task, answer.outcome, began)


def strategy(task: Task[Any, Any], app: Celery, consumer: Consumer, **options: Any) -> Callable[..., Any]:
    """How the messages of this task are taken; Celery asks at each connection. `task.asks` is the model of its request."""
    run_alone = default(task, app, consumer, **options)
    together = Together(task.name, lambda work: consumer.pool.apply_async(work, (), callback=_done), settle)

    def on_message(
        message: Any,
        body: Any,
        ack: Callable[..., Any],
        reject: Callable[..., Any],
        callbacks: Any,
        **more: Any,
    ) -> Any:
        request = _read(task, message)
        if request is None:
            return run_alone(message, body, ack, reject, callbacks, **more)
        return together.add(
            Job(
                request,
                message,
                lambda: ack(_celery_log, consumer.connection_errors),
                lambda: consumer.call_soon(run_alone, message, body, ack, reject, callbacks),
            )
        )

    return on_message


def _read(task: Task[Any, Any], message: Any) -> Move | None:
    """The request in a message; None where only the task itself knows what to do with it."""
    door = door_of(message)
    if door is None or door not in task.doors or "expires" in message.headers or "id" not in message.headers:
        return None
    if message.delivery_info.get("redelivered"):
        return None  # its worker may have died of it
    try:
        (argument,) = message.payload[0]
        request: Move = task.asks.model_validate(argument)
    except (ValidationError, ValueError):
        return None
    return request if may_ask(door, request) else None


def _done(_result: object) -> None:
    """Called by Celery's pool after each piece of work."""
