"""The push worker: brings nodes to the truth, and runs the sweep. Start as many as you like.

It consumes one queue for each node, and looks now and then which nodes there are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import structlog
from celery import bootsteps
from kombu import Queue

from roost.errors import DatabaseUnavailable
from roost.nodes.routes import enabled_nodes
from tasks import resources
from tasks.app import app
from tasks.broker import BROKER_LOST
from tasks.outages import DATABASE
from tasks.push import THREADS
from tasks.push_queues import declare_push_queues
from tasks.topology import ANNOUNCE, push_queue, push_queue_name
from workers.celery_worker import run

#: Seconds that a thread computes before another that waits may go on. A push waits for the network a dozen times; beside an audit,
#: which computes, it would wait for Python's usual 5 ms after each.
SWITCH_EVERY = 0.0005
#: A node that is added is pushed to after at most so many seconds.
LOOK_EVERY = 2.0

log = structlog.get_logger(__name__)


class NodeQueues(bootsteps.StartStopStep):
    """Consumes the queues of the nodes there are, beginning and ending with them."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._consumed: set[str] = set()
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        """Called by the consumer at each connection."""
        self._consumed.clear()
        # Only declared here: the loop, once it can take messages, consumes whatever was added. A message that
        # waits would otherwise be delivered before anybody handles it, and end the worker.
        self._look(parent, parent.task_consumer.add_queue)
        self._timer = parent.timer.call_repeatedly(
            LOOK_EVERY, self._look, (parent, lambda queue: parent.add_task_queue(queue.name))
        )

    def stop(self, _parent: Any) -> None:
        """Called when the connection ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, parent: Any, add: Callable[[Queue], object]) -> None:
        try:
            nodes = set(enabled_nodes(resources.database()))
        except DatabaseUnavailable as error:
            DATABASE.gone(doing="looking for nodes", error=str(error))
            return
        added = sorted(nodes - self._consumed)
        try:
            if added:
                declare_push_queues(added)
        except BROKER_LOST as error:
            log.warning("broker_lost", doing="looking at queues", error=type(error).__name__)
            return
        for node in added:
            queue = push_queue(node)
            app.amqp.queues.add(queue)
            add(queue)
        for node in sorted(self._consumed - nodes):
            parent.cancel_task_queue(push_queue_name(node))
        self._consumed = nodes


def main() -> int:
    """The command line of this process."""
    argparse.ArgumentParser("roost run push", description=__doc__).parse_args()
    sys.setswitchinterval(SWITCH_EVERY)
    app.steps["consumer"].add(NodeQueues)
    return run("push", [ANNOUNCE], pool="threads", concurrency=THREADS, needs=("seal_private_key",))


if __name__ == "__main__":
    sys.exit(main())
