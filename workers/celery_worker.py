"""How every Celery worker of Roost is started."""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import Any

import structlog
from celery import bootsteps
from celery.apps import worker as celery_program
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import worker_ready, worker_shutting_down
from celery.worker.consumer import Consumer
from celery.worker.control import Panel
from celery.worker.state import maybe_shutdown
from kombu.exceptions import KombuError

from roost.errors import SettingMissing
from roost.settings import settings
from roost.version import WrongVersion
from tasks.app import app
from tasks.broker import BROKER_REFUSED, NO_BROKER, why_broker_lost
from tasks.heartbeats import keep_heartbeats
from tasks.outages import check_before_start
from tasks.presence import exchanges, process_name
from tasks.topology import fixed_queues
from workers import systemd
from workers.acknowledgements import Acknowledgements
from workers.logs import refuse_to_start, set_up, write_farewell
from workers.metrics.kinds import export_worker
from workers.processes import end_well

#: Steps of Celery's consumer that another takes the place of, or none: Celery prepares some thirty queues for delayed tasks wherever it
#: finds quorum queues, and Roost delays none.
_OTHERS = {
    "celery.worker.consumer.delayed_delivery:DelayedDelivery": (),
    "celery.worker.consumer.control:Control": ("workers.questions:Questions",),
}


#: The headers that Roost has a use for. Others make Celery wait, limit or revoke, and some that are malformed end a worker.
_HEADERS = ("task", "id", "expires", "argsrepr", "kwargsrepr", "sent_at")
#: What may follow a task, in Celery's task protocol 2: clients name it, and Roost's leave it empty.
_FOLLOWS = frozenset({"callbacks", "errbacks", "chain", "chord"})
#: What Celery's handler raises on a message that is no task: it reads fields without looking whether they are there.
_NO_TASK = (ArithmeticError, AttributeError, KombuError, LookupError, TypeError, ValueError)

#: Broadcasts that a worker answers; they change nothing, and show no settings.
_READS = frozenset({"ping", "active", "active_queues", "registered", "reserved", "scheduled", "stats"})

#: A connection that lasted less than so many seconds did not do: the next one waits as long.
SHORT_LIVED = 1.0
#: Between tries to log in, while RabbitMQ refuses the login; seconds.
REFUSED_PAUSE = 2.0

log = structlog.get_logger(__name__)


def _check_body(body: object) -> None:
    """Raise TypeError unless it is a task's: arguments, named ones, and nothing that follows. Another is never acknowledged.

    Celery would publish what follows, with a worker's rights; and believe whatever else stands there of the message, such as by
    which exchange it came.
    """
    match body:
        case [list(), dict(), dict() as more] if _FOLLOWS.issuperset(more) and not any(more.values()):
            return
    raise TypeError(f"a task's body cannot be a {type(body).__name__} of this kind")


class RoostConsumer(Consumer):
    """Celery's consumer, without the steps that Roost has no use for; it outlives a message that is no task."""

    _connected_at = float("-inf")
    #: Since when there is no connection; None while there is one.
    _lost_at: float | None = None

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Celery's handler, for one connection. What no task can be made of is set aside; else it would end one worker after another."""
        handle = super().create_task_handler(*args, **kwargs)
        self._acknowledgements = acknowledgements = Acknowledgements(self.call_soon)

        def on_message(message: Any) -> None:
            given = message.headers or {}
            message.headers = {name: given[name] for name in _HEADERS if isinstance(given.get(name), str)}
            try:
                _check_body(message.payload)
                handle(message)
            except _NO_TASK as error:
                log.warning(
                    "message_unreadable",
                    queue=message.delivery_info.get("routing_key"),
                    error=type(error).__name__,
                )
                message.reject_log_error(logging.getLogger(__name__), self.connection_errors)
            acknowledgements.came(message)

        return on_message

    def call_soon_ack(self, p: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        """Celery's way to acknowledge or reject a message, from any thread; what is acknowledged at one time goes in one frame."""
        return self.call_soon(self._acknowledgements.settle, p, *args, **kwargs)

    def ensure_connected(self, conn: Any) -> Any:
        """Celery's own, with two differences.

        It looks every second whether the broker is back, where Celery waits up to half a minute. And it goes on when RabbitMQ
        refuses the login, which Celery dies of: while a password is changed, or a virtual host made anew, workers wait.
        """
        patiently = partial(conn.ensure_connection, interval_start=0.2, interval_step=0.2, interval_max=1)

        def ensure_connection(failed: Any, max_retries: int | None, callback: Callable[[], None]) -> Any:
            def between() -> None:
                systemd.alive()
                callback()

            def say(error: BaseException, interval: float) -> None:
                self._lost(error)
                failed(error, interval)

            return patiently(say, max_retries, callback=between)

        conn.ensure_connection = ensure_connection
        refused = ""
        while True:
            try:
                connected = super().ensure_connected(conn)
                self._connected_at = monotonic()
                return connected
            except (*BROKER_REFUSED, *NO_BROKER) as error:
                why = self._lost(error)
                if refused != why:
                    log.error("broker_refused", why=why)  # noqa: TRY400 - the reason is said
                refused = why
            systemd.alive()
            sleep(REFUSED_PAUSE)
            maybe_shutdown()

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Celery's own, with a pause where one connection after the other ends at once, as seconds after RabbitMQ's boot."""
        super().on_connection_error_after_connected(exc)
        self._lost(exc)
        if monotonic() - self._connected_at < SHORT_LIVED:
            systemd.alive()
            sleep(SHORT_LIVED)

    def serves(self) -> None:
        """Messages are taken: only now is RabbitMQ back, which may let a worker in and refuse it its queues, once a second."""
        systemd.status("serving")
        if self._lost_at is not None:
            log.warning("broker_back", away_seconds=round(monotonic() - self._lost_at, 1))
        self._lost_at = None

    def _lost(self, error: BaseException) -> str:
        """Note that there is no connection; why."""
        self._lost_at = self._lost_at or monotonic()
        why = why_broker_lost(error)
        systemd.status(f"waiting for RabbitMQ: {why}")
        return why

    class Blueprint(Consumer.Blueprint):
        """What this consumer is started with, in order."""

        default_steps = tuple(
            other for step in Consumer.Blueprint.default_steps for other in _OTHERS.get(step, (step,))
        )


def _only_reading() -> None:
    """Of what can be broadcast to Celery's workers, leave what reads: every process with a page may broadcast."""
    for name in set(Panel.data) - _READS:
        del Panel.data[name]


class SignOfLife(bootsteps.StartStopStep):
    """Tells systemd, from the loop that takes messages, that it goes round."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    _timer: Any = None

    def start(self, parent: Any) -> None:
        """Called by the consumer at each connection."""
        parent.serves()
        self._timer = parent.timer.call_repeatedly(systemd.ALIVE_EVERY, systemd.alive)

    def stop(self, _parent: Any) -> None:
        """Called when the connection ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@worker_ready.connect
def _say_ready(**_: object) -> None:
    systemd.ready()


@worker_shutting_down.connect
def _say_stopping(**_: object) -> None:
    systemd.stopping()


class Topology(bootsteps.StartStopStep):
    """Declares every queue at each connection: an unroutable message counts as sent."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, parent: Any) -> None:
        """Called by the consumer, with a fresh connection."""
        with parent.connection.channel() as channel:
            for queue in fixed_queues():
                queue(channel).declare()
            for exchange in exchanges():
                exchange(channel).declare()


def run(
    kind: str,
    queues: list[str],
    *,
    pool: str,
    concurrency: int,
    needs: tuple[str, ...] = (),
    prefetch: int = 1,
) -> int:
    """Run a worker until SIGTERM; the exit code. Jobs in hand finish, others go back to their queue.

    `prefetch` is how many messages it is sent ahead, for each job at once.
    """
    end_well()
    gc.freeze()  # what was imported stays; it would be looked through again at the end, which takes a quarter of a second
    try:
        set_up(settings())
        for name in ("database_url", "broker_url", *needs):
            settings().need(name)
        check_before_start(settings().need("database_url"))
    except (SettingMissing, WrongVersion) as error:
        refuse_to_start(kind, error)
        return 2
    # Celery says it from a signal handler, past all logs; nothing may be logged there, for a lock may be held.
    celery_program.safe_say = write_farewell
    # On SIGHUP Celery would start itself anew, in the background of a terminal that was closed; `end_well` says what becomes of it.
    celery_program.install_worker_restart_handler = lambda _worker: None
    # Ctrl-C is an end like any other; Celery's exit code of it is 1.
    celery_program.install_worker_int_handler = partial(celery_program.install_worker_int_handler, exitcode=0)
    _only_reading()
    app.steps["consumer"].update({Topology, SignOfLife})
    if os.geteuid() == 0:  # Celery says it in several lines, of an option of its own
        warnings.filterwarnings("ignore", category=SecurityWarning)
        log.warning("runs_as_root", mend="Run it as an account of its own: `roost setup` prints how.")
    worker = app.Worker(
        hostname=process_name(kind),
        pool=pool,
        concurrency=concurrency,
        prefetch_multiplier=prefetch,
        queues=queues,
        without_gossip=True,
        without_heartbeat=True,  # of its events, which nobody listens to: RabbitMQ would log a refusal each two seconds
        without_mingle=True,
        consumer_cls=RoostConsumer,
        loglevel=settings().log_level.upper(),
        quiet=True,  # its banner is text, whatever the format of the log
    )
    export_worker(kind, settings(), concurrency)
    # Said at each lost connection, of a setting that is as it is on purpose (tasks/config.py). Here, for the worker shows all as it is made.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    keep_heartbeats()
    worker.start()
    return int(worker.exitcode or 0)
