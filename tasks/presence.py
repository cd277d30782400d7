"""Which processes run: each says so when it is asked, as Celery's workers do; nobody keeps a list that could be wrong.

Bind, verify and push workers answer Celery's `ping` by themselves. Centers, web processes and the beat answer it by
a `Presence`; everything else that is broadcast to workers they leave alone.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import structlog
from amqp.exceptions import NotFound  # type: ignore[import-untyped]  # it ships no types
from kombu import Connection, Exchange
from kombu.exceptions import KombuError
from kombu.pidbox import Mailbox

from roost.settings import Settings
from tasks.broker import BROKER_LOST, connect

#: Seconds between tries to reach the broker.
RECONNECT_AFTER = 1.0
#: What reading a broadcast raises when it is none: kombu takes its fields as they come.
_NO_QUESTION = (ArithmeticError, AttributeError, KombuError, LookupError, TypeError, ValueError)

log = structlog.get_logger(__name__)


def process_name(kind: str) -> str:
    """How this process names itself: `center-4711@host`."""
    return f"{kind}-{os.getpid()}@{socket.gethostname()}"


class _Mailbox(Mailbox):
    """Celery's, but that an answer declares no exchange: only workers may."""

    def _publish_reply(
        self, reply: Any, exchange: str, routing_key: str, ticket: str, channel: Any = None, producer: Any = None, **opts: Any
    ) -> None:  # fmt: skip
        with self.producer_or_acquire(producer, channel) as acquired:
            headers = {"ticket": ticket, "clock": self.clock.forward()}
            acquired.publish(reply, exchange=exchange, routing_key=routing_key, headers=headers, **opts)


def mailbox(connection: Connection) -> Mailbox:
    """Where Celery's workers are asked, over this connection; with queues that end with it. Raises BROKER_LOST.

    Its exchanges are the workers' to make; whoever may make them too, as with a single user for all, makes them where they are missing.
    """
    box: Mailbox = _Mailbox(
        "celery", type="fanout", connection=connection, accept=["json"], serializer="json"
    )  # type: ignore[no-untyped-call]
    only_look(box, connection)
    return box


def only_look(box: Mailbox, connection: Connection) -> None:
    """From now on the box looks whether its exchanges are there, and declares them no more. Raises BROKER_LOST."""
    for exchange in _exchanges_of(box):
        if not _is_there(connection, exchange):
            with connection.channel() as channel:
                exchange(channel).declare()
        exchange.passive = True


def exchanges() -> tuple[Exchange, Exchange]:
    """Where Celery's workers are asked, and where they answer."""
    return _exchanges_of(Mailbox("celery", type="fanout"))


def _exchanges_of(box: Mailbox) -> tuple[Exchange, Exchange]:
    assert box.exchange is not None  # its constructor makes both
    assert box.reply_exchange is not None
    return box.exchange, box.reply_exchange


def _is_there(connection: Connection, exchange: Exchange) -> bool:
    with connection.channel() as channel:
        try:
            channel.exchange_declare(exchange.name, exchange.type, passive=True)
        except NotFound:
            return False
    return True


class Presence:
    """A thread with a connection of its own: whatever befalls it, the process goes on. Use as a context manager.

    While `is_well` says no, nobody is answered.
    """

    def __init__(self, settings: Settings, kind: str, is_well: Callable[[], bool] = lambda: True) -> None:
        self._url = settings.need("broker_url")
        self._name = process_name(kind)
        self._is_well = is_well
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with (
                    suppress(*BROKER_LOST, *_NO_QUESTION),
                    connect(self._url, heartbeat=10) as connection,
                ):  # whoever needs the broker says that it is lost
                    self._answer_on(connection)
            except Exception:
                # Whatever it is: without this thread the process would seem to be gone.
                log.exception("fault", doing="saying that it runs")
            self._closing.wait(RECONNECT_AFTER)

    def _answer_on(self, connection: Connection) -> None:
        node = mailbox(connection).Node(
            self._name, channel=connection.channel(), handlers={"ping": lambda _state: {"ok": "pong"}}
        )

        def asked(body: Any, message: Any) -> None:
            try:
                if body["method"] in node.handlers and self._is_well():
                    node.handle_message(body, message)
            except _NO_QUESTION as error:
                log.warning("question_unreadable", error=type(error).__name__)

        with node.listen(callback=asked):
            heartbeat = time.monotonic()
            while not self._closing.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=0.5)
                if time.monotonic() - heartbeat > 1:
                    heartbeat = time.monotonic()
                    connection.heartbeat_check()
