"""How many messages wait in each queue, and who consumes them: what an operator looks at."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import NamedTuple

from amqp.exceptions import AccessRefused, NotFound  # type: ignore[import-untyped]  # it ships no types
from kombu import Connection, Producer

from roost.diagnosis.queues import QueueState
from roost.errors import BrokerUnavailable
from roost.moves.doors import Door
from roost.settings import Settings
from tasks.broker import BROKER_LOST, connect, why_broker_lost
from tasks.doors import exchange_of
from tasks.topology import ANNOUNCE, BIND, DEAD, PUSH, VERIFY, push_queue_name

#: A look is good for so many seconds: many who ask at once share one.
FRESH = 0.4
#: RabbitMQ confirms a message within milliseconds; after so many seconds it is not going to.
CONFIRMED_WITHIN = 2.0
#: The key of the message that is sent to see whether RabbitMQ takes any. No queue has it, so nobody ever gets one.
_NOBODY = "roost.nobody"
_NOT_FOUND = 404


class QueueDepth(NamedTuple):
    """One queue: `messages` wait, `consumers` take them. A queue that does not exist has None for both."""

    name: str
    messages: int | None
    consumers: int | None


#: Who consumes the queues that are always there; the others are the nodes'. Nobody consumes the dead.
_SERVED_BY = {VERIFY: "verify", BIND: "bind", ANNOUNCE: "push", PUSH: "push", DEAD: ""}


def states_of(seen: list[QueueDepth]) -> list[QueueState]:
    """The queues with who should serve each."""
    return [
        QueueState(
            each.name,
            _SERVED_BY.get(each.name, "push"),
            exists=each.messages is not None,
            messages=each.messages or 0,
            consumers=each.consumers or 0,
        )
        for each in seen
    ]


class Queues:
    """Thread-safe; keeps one connection."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.need("broker_url")
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._seen: tuple[float, tuple[str, ...], list[QueueDepth]] | None = None

    def look(self, nodes: tuple[str, ...] = ()) -> list[QueueDepth]:
        """The fixed queues, and those of the nodes. Raises BrokerUnavailable, also when RabbitMQ answers but takes no messages."""
        with self._lock:
            if self._seen and self._seen[1] == nodes and time.monotonic() - self._seen[0] < FRESH:
                return self._seen[2]
            names = (BIND, VERIFY, ANNOUNCE, PUSH, DEAD, *(push_queue_name(node) for node in nodes))
            try:
                depths = self._look(names)
                self._prove_that_it_takes_messages()
            except BROKER_LOST as error:
                self._drop()
                raise BrokerUnavailable(why_broker_lost(error)) from None
            except BrokerUnavailable:
                self._drop()
                raise
            self._seen = (time.monotonic(), nodes, depths)
            return depths

    def shares_a_login(self) -> bool:
        """Whether this login can ask for what only workers may ask for: it is more than one kind of process needs.

        Raises BrokerUnavailable.
        """
        try:
            with connect(self._url, confirm_publish=True) as connection:
                producer = connection.Producer(auto_declare=False)
                producer.publish(
                    "",
                    exchange=exchange_of(Door.WORKERS),
                    routing_key=_NOBODY,
                    confirm_timeout=CONFIRMED_WITHIN,
                )
        except AccessRefused:
            return False
        except (TimeoutError, *BROKER_LOST) as error:
            raise BrokerUnavailable(why_broker_lost(error)) from None
        return True

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _look(self, names: tuple[str, ...]) -> list[QueueDepth]:
        if self._connection is None:
            self._connection = connect(self._url, confirm_publish=True)
        depths = []
        channel = self._connection.channel()
        for name in names:
            try:
                found = channel.queue_declare(name, passive=True)
                depths.append(QueueDepth(name, found.message_count, found.consumer_count))
            except self._connection.channel_errors as error:
                if getattr(error, "reply_code", 0) != _NOT_FOUND:
                    raise
                depths.append(QueueDepth(name, None, None))
                channel = self._connection.channel()
        channel.close()
        return depths

    def _prove_that_it_takes_messages(self) -> None:
        """With a memory or disk alarm RabbitMQ answers questions as ever, but stops reading after a connection's first message."""
        assert self._connection is not None  # it has just answered
        channels = [self._connection.channel() for _ in ("of the first message", "of the one that waits")]
        try:
            for channel in channels:
                with suppress(NotFound):  # no process has made the exchange yet; the message was read
                    Producer(channel, auto_declare=False).publish(
                        "",
                        exchange=exchange_of(Door.DESK),
                        routing_key=_NOBODY,
                        confirm_timeout=CONFIRMED_WITHIN,
                    )
            for channel in channels:
                channel.close()
        except TimeoutError:
            raise BrokerUnavailable(
                "It answers, but takes no messages: free memory or disk, whichever `rabbitmqctl status` names as an alarm."
            ) from None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.collect()  # no goodbye: the broker may be frozen
            self._connection = None
        self._seen = None
