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
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

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
#: Seconds that a move waits for rows that others hold, nearly as long as its asker; how often it is seen whether they are free; how many of a
#: kind wait, with three kinds fewer than a worker is sent ahead; and seconds that more may wait: those who move the same people at one time.
HELD_PATIENCE, HELD_PAUSE, MOST_HELD, HELD_BRIEFLY = 4.0, 0.03, MOST, 1.0
#: Threads that moves take in one process at most: for each of the three kinds those that settle, one that waits for held rows, and one that begins
#: again while that one wakes up.
MOST_THREADS = 3 * (AT_ONCE + 2)

log = structlog.get_logger(__name__)
_celery_log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A move that waits, since `came` by `time.monotonic`; `settle_alone` hands its message to Celery."""

    request: Move
    message: Any
    acknowledge: Callable[[], object]
    settle_alone: Callable[[], object]
    came: float


class Settling(Protocol):
    """How jobs of one task are settled."""

    def settle(self, jobs: list[Job], *, skip_held: bool) -> list[Job]:
        """Settle them together; those that need a row that somebody holds, which are left. With `skip_held` no row is waited for.

        When it raises, none was done, or it is safe to do them again.
        """

    def give_up(self, jobs: list[Job]) -> None:
        """Answer that what they need is not to be had."""


class Together:
    """The jobs of one task that came over one connection and wait.

    `start` runs something in another thread; `rest` waits for some seconds.

    A job that needs a row that others hold for long, as a large import does, takes no thread and keeps no other waiting: it is tried with
    the next ones, until its patience ends.
    """

    def __init__(
        self,
        start: Callable[[Callable[[], None]], object],
        settling: Settling,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._start = start
        self._settling = settling
        self._rest = rest
        self._waiting: deque[Job] = deque()
        self._held: deque[Job] = deque()
        self._held_seen_at = 0.0
        self._lock = threading.Lock()
        self._running = 0
        self._resting = False

    def add(self, job: Job) -> None:
        """Have the job settled: at once if nothing is being settled, otherwise together with all that wait then, or with enough."""
        with self._lock:
            self._waiting.append(job)
            begins = not self._running or (self._running < AT_ONCE and len(self._waiting) >= ENOUGH)
            self._running += begins
        if begins:
            self._start(self._run)

    def _run(self) -> None:
        while True:
            jobs, skip_held = self._take()
            if jobs:
                self._settle(jobs, skip_held=skip_held)
            elif not self._rest_for_held():
                return

    def _take(self) -> tuple[list[Job], bool]:
        """What is settled next, and whether rows are known to be held. None: this thread settles nothing any more."""
        with self._lock:
            held = bool(self._held)
            jobs: list[Job] = []
            if held and time.monotonic() >= self._held_seen_at + HELD_PAUSE:
                jobs += [self._held.popleft() for _ in range(min(len(self._held), MOST))]
            jobs += [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST - len(jobs)))]
            self._running -= not jobs
        return jobs, held

    def _settle(self, jobs: list[Job], *, skip_held: bool) -> None:
        held = self._try(jobs, lambda: self._settling.settle(jobs, skip_held=skip_held))
        if held and (late := self._hold_back(held)):
            self._try(late, lambda: self._settling.give_up(late))
        if len(jobs) > max(1, len(self._waiting)):
            self._rest(PAUSE)

    def _try(self, jobs: list[Job], settle: Callable[[], list[Job] | None]) -> list[Job]:
        try:
            with measures.BUSY.track_inprogress():
                return settle() or []
        except Exception as error:  # noqa: BLE001 - whatever it is, each of them alone is answered or logged by its own task
            log.info("taken_one_by_one", jobs=len(jobs), error=type(error).__name__)
            for job in jobs:
                job.settle_alone()
            return []

    def _hold_back(self, jobs: list[Job]) -> list[Job]:
        """Keep jobs whose rows others hold; those that wait no longer, or are too many."""
        now = time.monotonic()
        late = []
        with self._lock:
            self._held.extend(jobs)
            self._held_seen_at = now
            while self._held and now - self._held[0].came >= self._patience():
                late.append(self._held.popleft())
        return late

    def _patience(self) -> float:
        return HELD_BRIEFLY if len(self._held) > MOST_HELD else HELD_PATIENCE

    def _rest_for_held(self) -> bool:
        """Wait a moment for rows that others hold. False: no job waits for one, or another thread does so."""
        with self._lock:
            if self._resting or not self._held:
                return False
            self._resting = True
        self._rest(HELD_PAUSE)
        with self._lock:
            self._resting = False
            self._running += 1
        return True


class Moves:
    """Settles the moves of one task, then answers and acknowledges each."""

    def __init__(self, task: str) -> None:
        self._task = task

    def settle(self, jobs: list[Job], *, skip_held: bool) -> list[Job]:
        """In one transaction; in another one when somebody holds one of the rows."""
        taken, began = time.time(), time.perf_counter()
        requests = [job.request for job in jobs]
        answers: Sequence[Answer | None]
        try:
            answers = _settle_now(requests, skip_held=skip_held)
            DATABASE.back()
        except (Conflicting, DatabaseTooSlow):
            raise
        except DatabaseUnavailable as error:
            DATABASE.gone(task=self._task, error=str(error), jobs=len(jobs))
            answers = [_unavailable(job) for job in jobs]
        self._answer(
            [(job, answer) for job, answer in zip(jobs, answers, strict=True) if answer], taken, began
        )
        return [job for job, answer in zip(jobs, answers, strict=True) if answer is None]

    def give_up(self, jobs: list[Job]) -> None:
        """Say that it is unavailable, as of a job that waited for a row alone."""
        log.warning("rows_held", task=self._task, jobs=len(jobs), seconds=HELD_PATIENCE)
        self._answer([(job, _unavailable(job)) for job in jobs], time.time(), time.perf_counter())

    def _answer(self, answered: Sequence[tuple[Job, Answer]], taken: float, began: float) -> None:
        send_answers([(job.message.properties.get("reply_to"), answer) for job, answer in answered])
        if any(answer.outcome in CHANGED for _, answer in answered):
            resources.announcer().changed()
        for job, _ in answered:  # at one time, so that they go in one frame
            job.acknowledge()
        for job, answer in answered:
            measures.waited(job.message.headers.get("sent_at"), self._task, taken)
            measures.ran(job.message, self._task, answer.outcome, began)


def _settle_now(requests: Sequence[Move], *, skip_held: bool) -> Sequence[Answer | None]:
    if not skip_held:
        try:
            return resources.binding().together(requests)
        except Conflicting:
            pass  # somebody holds one of their rows
    return resources.binding().together_if_free(requests)


def _unavailable(job: Job) -> Answer:
    return Answer(request_id=job.request.request_id, outcome=Outcome.UNAVAILABLE)


def strategy(task: Task[Any, Any], app: Celery, consumer: Consumer, **options: Any) -> Callable[..., Any]:
    """How the messages of this task are taken; Celery asks at each connection. `task.asks` is the model of its request."""
    run_alone = default(task, app, consumer, **options)
    together = Together(lambda work: consumer.pool.apply_async(work, (), callback=_done), Moves(task.name))

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
                time.monotonic(),
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
