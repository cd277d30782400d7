"""Doors as RabbitMQ knows them: an exchange each, to which its users may write (tasks/permissions.py).

Workers use the default exchange among themselves, as everybody did in release 0.1.0. Whoever may write to it can ask
for anything; with users of their own, centers and desks may not.
"""

from __future__ import annotations

import re
import time
from typing import Any

import structlog
from amqp.exceptions import NotFound  # type: ignore[import-untyped]  # it ships no types
from celery import Task
from kombu import Connection, Exchange

from roost.moves.doors import Door
from tasks import measures

_EXCHANGES = {Door.CALLS: "roost.calls", Door.DESK: "roost.desk", Door.WORKERS: ""}
_DOORS = {name: door for door, name in _EXCHANGES.items()}

#: The queue of a client, which nobody else may read. Those of 0.1.0 named no door.
_REPLY_QUEUE = re.compile(r"reply\.(?:(?:calls|desk)\.)?[0-9a-f]{32}")

log = structlog.get_logger(__name__)


def exchange_of(door: Door) -> Exchange:
    """The exchange to publish to."""
    return Exchange(_EXCHANGES[door], type="direct", durable=True)


def is_reply_queue(name: str) -> bool:
    """Whether an answer may be sent there: to a client's queue, never to one that somebody works on."""
    return _REPLY_QUEUE.fullmatch(name) is not None


def takes_several(reply_queue: str) -> bool:
    """Whether its client understands several answers in one message: those of 0.1.0, whose queues name no door, do not."""
    return reply_queue.count(".") > 1


def door_of(request: Any) -> Door | None:
    """By which door a task came (`request` is Celery's, or the message itself); None: by an exchange that is not ours."""
    exchange = (request.delivery_info or {}).get("exchange")
    return None if exchange is None else _DOORS.get(exchange)


class GuardedTask(Task[Any, Any]):
    """A task that only workers may ask for, unless its `doors` say otherwise."""

    abstract = True
    doors: frozenset[Door] = frozenset({Door.WORKERS})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run, if the message came by a door that may ask for it; what `run` returns is counted as the outcome."""
        door = door_of(self.request)
        if door not in self.doors:
            log.error("task_refused", task=self.name, door=door)
            measures.TASKS.labels(self.name, "refused").inc()
            return None
        measures.waited(getattr(self.request, "sent_at", None), self.name, time.time())
        began, outcome = time.perf_counter(), "failed"
        try:
            with measures.BUSY.track_inprogress():
                outcome = self.run(*args, **kwargs) or "done"
        finally:
            measures.ran(self.request, self.name, outcome, began)
        return None


def has_exchange(connection: Connection, door: Door) -> bool:
    """Whether the door's exchange is there. Raises BROKER_LOST."""
    with connection.channel() as channel:
        try:
            channel.exchange_declare(_EXCHANGES[door], "direct", passive=True)
        except NotFound:
            return False
    return True
