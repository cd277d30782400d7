"""Every queue, and the only names of them.

All are quorum queues with a delivery limit: without one, RabbitMQ 3.10 puts a requeued message at the back, and
a queue of length one then drops the newer one. A node's queue and that of the sweep hold one message: the latest
says all that the others said. Those in the queue for several nodes name different ones; what is too many is left to the sweep.
"""

from __future__ import annotations

from typing import Any

from kombu import Connection, Exchange, Queue, binding

from roost.moves.doors import Door
from tasks.doors import exchange_of, has_exchange

VERIFY = "verify"
BIND = "bind"
ANNOUNCE = "announce"
PUSH = "push"
DEAD = "dead"

#: Deliveries of one message before it is set aside.
DELIVERY_LIMIT = 5
#: Messages kept for an operator to look at; the oldest go first.
DEAD_LIMIT = 10_000
#: Wake-ups that name several nodes each and wait: for a thousand nodes at once.
PUSH_LIMIT = 64

#: The tasks that only a verify worker can do; all other requests go to `bind`.
_VERIFY_TASKS = frozenset({"roost.verify", "roost.set_code"})

_DEFAULT_EXCHANGE = Exchange("")


def push_queue_name(node: str) -> str:
    """The queue that wakes the push to one node."""
    return f"push.{node}"


def push_queue(node: str) -> Queue:
    """One message, one consumer at a time; the node's row lock is the true fence."""
    return _queue(push_queue_name(node), _wake_up() | {"x-single-active-consumer": True})


def queue_of(task: str) -> str:
    """The queue a request's task is sent to."""
    return VERIFY if task in _VERIFY_TASKS else BIND


def fixed_queues() -> tuple[Queue, ...]:
    """The queues that are always there."""
    return (
        _request_queue(VERIFY),
        _request_queue(BIND),
        _queue(ANNOUNCE, _wake_up()),
        _queue(PUSH, _wake_up(PUSH_LIMIT)),
        _queue(DEAD, {"x-max-length": DEAD_LIMIT}),
    )


def prepare(connection: Connection, door: Door) -> None:
    """Make sure that what is published by this door reaches its queue, though no worker ran yet. Raises BROKER_LOST."""
    if has_exchange(connection, door):
        return
    with connection.channel() as channel:
        for queue in fixed_queues():
            queue(channel).declare()


def _request_queue(name: str) -> Queue:
    """What is asked by any door comes to the same queue."""
    queue = _queue(name, {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD})
    queue.bindings = {binding(exchange_of(door), routing_key=name) for door in (Door.CALLS, Door.DESK)}
    return queue


def _wake_up(most: int = 1) -> dict[str, Any]:
    return {"x-max-length": most, "x-overflow": "drop-head"}


def _queue(name: str, arguments: dict[str, Any]) -> Queue:
    return Queue(
        name,
        exchange=_DEFAULT_EXCHANGE,
        routing_key=name,
        durable=True,
        queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT} | arguments,
    )
