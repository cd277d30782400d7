"""The nodes' queues: declared before they are consumed, and made anew when they have no leader.

A RabbitMQ that is killed within a second of declaring a queue may come back with one that has no leader: a consumer of it would
wait for good. Whether a queue has one shows in a wake-up, which a queue with a leader confirms. Nothing is lost with such a
queue: a wake-up carries nothing, and nodes that are behind are found by the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import structlog
from amqp.exceptions import InternalError, NotFound, PreconditionFailed, ResourceLocked  # type: ignore[import-untyped]  # it ships no types
from kombu import Connection

from roost.settings import settings
from tasks.broker import connect
from tasks.topology import push_queue, push_queue_name
from tasks.wake import Wakes, unconfirmed

#: RabbitMQ itself waits for 5 s before it answers whoever declares or deletes a queue without a leader.
SLOW_TIMEOUT = 15
#: Seconds after which a queue that seemed to have no leader is taken for one.
SECOND_LOOK = 2.0
#: What RabbitMQ says of a single queue: it fails to start one of this name, no node of it runs it, it has another under that name.
_OF_ONE_QUEUE = (InternalError, NotFound, PreconditionFailed, ResourceLocked)

log = structlog.get_logger(__name__)


class Declared(NamedTuple):
    """Nodes by what can be done with their queue. Those in neither have none, which was logged."""

    ready: list[str]
    leaderless: list[str]


def declare_push_queues(nodes: Sequence[str]) -> Declared:
    """Declare each node's queue. Raises BROKER_LOST.

    A queue that RabbitMQ cannot make holds up no other node.
    """
    try:
        leaderless = _declare_together(nodes)
    except _OF_ONE_QUEUE as error:
        if len(nodes) > 1:
            alone = [declare_push_queues([node]) for node in nodes]
            return Declared(
                [node for each in alone for node in each.ready],
                [node for each in alone for node in each.leaderless],
            )
        log.error("queue_refused", node=nodes[0], error=type(error).__name__, why=str(error))  # noqa: TRY400  # the reason is said
        return Declared([], [])
    return Declared([node for node in nodes if node not in leaderless], leaderless)


def make_push_queue_anew(node: str) -> bool:
    """Delete a queue without a leader, and declare it again; whether it can be consumed now. Raises BROKER_LOST.

    RabbitMQ cannot start a queue of that name any more if one worker deletes it while another declares it. So one at a time
    holds an exclusive queue meanwhile, which ends with its connection, and looks again: another may have been first.
    """
    with _slow_connection() as connection:
        channel = connection.default_channel
        try:
            channel.queue_declare(f"{push_queue_name(node)}/anew", exclusive=True)
        except ResourceLocked:
            return False
        with closing(Wakes(settings().need("broker_url"))) as wakes:
            if not wakes.unconfirmed([node], patience=SECOND_LOOK):
                return True
        log.warning("queue_without_leader", node=node)
        channel.queue_delete(push_queue_name(node))
        push_queue(node)(channel).declare()
        return True


def _declare_together(nodes: Sequence[str]) -> list[str]:
    """Those whose queue has no leader."""
    with _slow_connection() as connection:
        # A channel each: what has no leader takes seconds, and would be waited for one after the other.
        channels = {node: connection.channel() for node in nodes}
        for node, channel in channels.items():
            push_queue(node)(channel).declare(nowait=True)
        _wait_for(channels.values())
        return unconfirmed(channels)


def _slow_connection() -> Connection:
    return connect(settings().need("broker_url"), read_timeout=SLOW_TIMEOUT)


def _wait_for(channels: Iterable[Any]) -> None:
    """Wait until each channel has done what was asked of it: a channel answers in order, so the last question waits for all."""
    for channel in channels:
        channel.basic_qos(prefetch_size=0, prefetch_count=1, a_global=False)
