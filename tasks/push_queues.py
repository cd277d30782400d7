"""The nodes' queues: declared before they are consumed, and made anew when they have no leader.

A RabbitMQ that is killed within a second of declaring a queue may come back with one that has no leader: a consumer of it would
wait for good. Whether a queue has one shows in a wake-up, which a queue with a leader confirms. Nothing is lost with such a
queue: a wake-up carries nothing, and nodes that are behind are found by the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog

from roost.settings import settings
from tasks.broker import connect
from tasks.topology import push_queue, push_queue_name
from tasks.wake import unconfirmed

#: RabbitMQ itself waits for 5 s before it answers whoever declares or deletes a queue without a leader.
SLOW_TIMEOUT = 15

log = structlog.get_logger(__name__)


def declare_push_queues(nodes: Iterable[str]) -> None:
    """Declare each node's queue, so that it can be consumed. Raises BROKER_LOST."""
    with connect(settings().need("broker_url"), read_timeout=SLOW_TIMEOUT) as connection:
        # A channel each: what has no leader takes seconds, and would be waited for one after the other.
        channels = {node: connection.channel() for node in nodes}
        for node, channel in channels.items():
            _declare(channel, node)
        _wait_for(channels.values())
        leaderless = unconfirmed(channels)
        if not leaderless:
            return
        log.warning("queues_without_leader", nodes=leaderless)
        for node in leaderless:
            channels[node].queue_delete(push_queue_name(node), nowait=True)
            _declare(channels[node], node)
        _wait_for(channels.values())


def _declare(channel: Any, node: str) -> None:
    """Ask for it; `_wait_for` waits until it is done."""
    push_queue(node)(channel).declare(nowait=True)


def _wait_for(channels: Iterable[Any]) -> None:
    """Wait until each channel has done what was asked of it: a channel answers in order, so the last question waits for all."""
    for channel in channels:
        channel.basic_qos(prefetch_size=0, prefetch_count=1, a_global=False)
