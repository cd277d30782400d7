"""Wake-ups: messages that carry no news but that there is some."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.app import app
from tasks.topology import push_queue

PUSH_TASK = "roost.push"
ANNOUNCE_TASK = "roost.announce"


def wake_nodes(nodes: Iterable[str]) -> None:
    """Wake the push of each node. Raises BROKER_LOST; the sweep will do it then."""
    with app.producer_or_acquire() as producer:
        for node in nodes:
            app.send_task(
                PUSH_TASK, (node,), producer=producer, queue=push_queue(node), retry=False, ignore_result=True,
                delivery_mode="transient",
            )  # fmt: skip
