"""Wake-ups: messages that carry no news but that there is some."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.app import app
from tasks.messages import publish_job
from tasks.topology import push_queue, push_queue_name

PUSH_TASK = "roost.push"
ANNOUNCE_TASK = "roost.announce"


def wake_nodes(nodes: Iterable[str]) -> None:
    """Wake the push of each node. Raises BROKER_LOST; the sweep will do it then."""
    with app.producer_or_acquire() as producer:
        for node in nodes:
            publish_job(
                producer, PUSH_TASK, node, push_queue_name(node),
                declare=[push_queue(node)], delivery_mode="transient",
            )  # fmt: skip
