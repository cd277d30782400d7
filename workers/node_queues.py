"""A push worker consumes the queue of each node there is, beginning and ending with the node."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from celery import bootsteps

from roost.errors import DatabaseUnavailable
from roost.nodes.routes import enabled_nodes
from tasks import push, resources
from tasks.app import app
from tasks.broker import BROKER_LOST
from tasks.outages import DATABASE
from tasks.push_queues import declare_push_queues, make_push_queue_anew
from tasks.topology import push_queue, push_queue_name

#: Seconds from one look which nodes there are to the next.
LOOK_EVERY = 2.0
#: Seconds until the worker's loop takes up what a look found.
TAKE_UP_EVERY = 0.2
#: Queues without a leader that are made anew at once: each takes some seconds, and a crash may leave one for every node.
ANEW_AT_ONCE = 16

log = structlog.get_logger(__name__)


class Looking:
    """Looks which nodes there are and declares their queues, in a thread: a queue without a leader takes seconds.

    One for each connection, since a RabbitMQ that comes back may have lost a queue or its leader.
    """

    def __init__(self) -> None:
        #: The nodes whose queue can be consumed.
        self.nodes: frozenset[str] = frozenset()
        self._over = threading.Event()
        threading.Thread(target=self._run, name="node queues", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._look()
            except DatabaseUnavailable as error:
                DATABASE.noticed(doing="looking for nodes", error=str(error))
            except BROKER_LOST as error:
                log.warning("broker_lost", doing="looking at queues", error=type(error).__name__)
            except Exception:
                # Whatever it is: without this thread, nodes that are added would never hear of a move.
                log.exception("fault", doing="looking at queues")
            self._over.wait(LOOK_EVERY)

    def _look(self) -> None:
        there = frozenset(enabled_nodes(resources.database()))
        DATABASE.back()
        push.keep_only(there)
        self.nodes &= there
        if not (added := sorted(there - self.nodes)):
            return
        declared = declare_push_queues(added)
        self.nodes |= set(declared.ready)
        with ThreadPoolExecutor(ANEW_AT_ONCE) as hands:
            made = hands.map(make_push_queue_anew, declared.leaderless)
            self.nodes |= {node for node, done in zip(declared.leaderless, made, strict=True) if done}


class NodeQueues(bootsteps.StartStopStep):
    """Consumes what `Looking` finds; meanwhile the worker's loop takes the messages of other nodes."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._consumed: frozenset[str] = frozenset()
        self._looking: Looking | None = None
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        """Called by the consumer at each connection."""
        self._consumed = frozenset()
        self._looking = Looking()
        # In the loop and not here: a message that waits would be delivered before anybody handles it, and end the worker.
        self._timer = parent.timer.call_repeatedly(TAKE_UP_EVERY, self._take_up, (parent, self._looking))

    def stop(self, _parent: Any) -> None:
        """Called when the connection ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._looking is not None:
            self._looking.close()
            self._looking = None

    def _take_up(self, parent: Any, looking: Looking) -> None:
        nodes = looking.nodes
        for node in sorted(nodes - self._consumed):
            app.amqp.queues.add(push_queue(node))
            parent.add_task_queue(push_queue_name(node))
        for node in sorted(self._consumed - nodes):
            parent.cancel_task_queue(push_queue_name(node))
        self._consumed = nodes
