"""Wake-ups: messages that say "look at this node", or "at these", and nothing else. Whoever consumes the nodes' queues declares them.

They have a connection of their own, with a channel for each queue. RabbitMQ stops reading a channel that has published to a queue without a
leader, and in the end the whole connection; on a shared one, answers to people and the wake-ups of other nodes would be stuck behind it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from kombu import Connection, Producer

from roost.settings import settings
from tasks.at_first_use import at_first_use
from tasks.broker import BROKER_LOST, connect
from tasks.messages import publish_job
from tasks.topology import PUSH, push_queue_name

PUSH_TASK = "roost.push"
PUSH_SEVERAL_TASK = "roost.push_several"
ANNOUNCE_TASK = "roost.announce"

#: Nodes that one wake-up names at most: as many as a push worker tells at once. More go to several workers.
SEVERAL = 16
#: How many wake-ups of one queue may be unconfirmed; a node with so many gets no more, and the sweep finds it. RabbitMQ reads 400 ahead.
MOST_OWED = 16
#: While the queue for several nodes has confirmed nothing for so many seconds, each is woken by its own.
OWN_QUEUES_AFTER = 1.0
#: A queue that confirms nothing for so many seconds has no leader.
PATIENCE = 5.0


class _Line:
    """The channel to one queue, and what the queue has not confirmed: when each wake-up was sent, by its delivery tag."""

    def __init__(self, channel: Any) -> None:
        channel.confirm_select()
        channel.events["basic_ack"].add(self._settled)
        channel.events["basic_nack"].add(self._settled)  # lost, then; the sweep finds the node
        self._producer = Producer(channel, auto_declare=False)
        self._sent = 0
        self.owed: dict[int, float] = {}

    @property
    def is_full(self) -> bool:
        return len(self.owed) >= MOST_OWED

    def send(self, task: str, argument: object, queue: str) -> None:
        publish_job(self._producer, task, argument, queue, delivery_mode="transient")
        self._sent += 1
        self.owed[self._sent] = time.monotonic()

    def waits_since(self) -> float:
        """When the oldest unconfirmed wake-up was sent; infinite when there is none."""
        return next(iter(self.owed.values()), math.inf)

    def _settled(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  # as amqp calls it
        for each in [each for each in self.owed if each <= tag] if multiple else [tag]:
            del self.owed[each]


class Wakes:
    """Sends wake-ups, and knows which were confirmed. Thread-safe; keeps one connection. Everything raises BROKER_LOST."""

    def __init__(self, urls: str) -> None:
        self._urls = urls
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._lines: dict[str, _Line] = {}

    def wake(self, nodes: Iterable[str]) -> None:
        """Wake the push of each node, by its own queue."""
        with self._lock:
            self._wake(nodes)

    def wake_together(self, nodes: Sequence[str]) -> None:
        """Wake the push of each node, several with one message; one alone, and all while the queue for several does not answer, by their own."""
        with self._lock:
            connection = self._connected()
            alone: list[str] = []
            try:
                line = self._line(connection, PUSH)
                answers = line.waits_since() > time.monotonic() - OWN_QUEUES_AFTER
                for first in range(0, len(nodes), SEVERAL):
                    several = list(nodes[first : first + SEVERAL])
                    if len(several) == 1 or not answers or line.is_full:
                        alone += several
                    else:
                        line.send(PUSH_SEVERAL_TASK, several, PUSH)
            except BROKER_LOST:
                self._drop()
                raise
            if alone:
                self._wake(alone)

    def unconfirmed(self, nodes: Iterable[str], patience: float = PATIENCE) -> list[str]:
        """Wake the push of each node; return the nodes whose queue does not confirm that within so many seconds."""
        with self._lock:
            connection, lines = self._wake(nodes)
            ends = time.monotonic() + patience
            while any(line.owed for line in lines.values()) and (left := ends - time.monotonic()) > 0:
                self._hear(connection, left)
            return [node for node, line in lines.items() if line.owed]

    def close(self) -> None:
        """Close the connection; the next wake-up opens another."""
        with self._lock:
            self._drop()

    def _wake(self, nodes: Iterable[str]) -> tuple[Connection, dict[str, _Line]]:
        connection = self._connected()
        try:
            lines = {node: self._line(connection, push_queue_name(node)) for node in nodes}
            for node, line in lines.items():
                if not line.is_full:
                    line.send(PUSH_TASK, node, push_queue_name(node))
        except BROKER_LOST:
            self._drop()
            raise
        return connection, lines

    def _line(self, connection: Connection, queue: str) -> _Line:
        if queue not in self._lines:
            self._lines[queue] = _Line(connection.channel())
        return self._lines[queue]

    def _connected(self) -> Connection:
        """The connection; a new one if the broker closed it meanwhile, or left a wake-up unconfirmed for too long."""
        if self._connection is not None:
            try:
                while self._hear(self._connection, 0):
                    pass
            except BROKER_LOST:
                self._drop()
        if any(line.waits_since() < time.monotonic() - 2 * PATIENCE for line in self._lines.values()):
            self._drop()  # a queue that was made anew does not confirm what was sent to it before
        if self._connection is None:
            self._connection = connect(self._urls)
        return self._connection

    def _hear(self, connection: Connection, patience: float) -> bool:
        """Whether something came within so many seconds; a confirmation is noted."""
        with suppress(TimeoutError):
            connection.drain_events(timeout=patience)
            return True
        return False

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.collect()  # no goodbye: the broker may be frozen
        self._connection = None
        self._lines.clear()


@at_first_use
def _wakes() -> Wakes:
    return Wakes(settings().need("broker_url"))


def wake_nodes(nodes: Sequence[str]) -> None:
    """Wake the push of each node. Raises BROKER_LOST; then the sweep wakes them."""
    _wakes().wake_together(nodes)


def unconfirmed(nodes: Iterable[str]) -> list[str]:
    """Wake the push of each node; return those whose queue has no leader, since it does not confirm that. Raises BROKER_LOST."""
    return _wakes().unconfirmed(nodes)
