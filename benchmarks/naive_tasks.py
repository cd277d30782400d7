"""The usual design, to compare with: each bind sends one Celery task for each node, which writes the one route there.

No cursor, no change log: what is lost is lost, what is late overwrites what is newer. It shares Roost's core for the bind
itself, its adapter, and its kind of queue.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from celery import Task
from kombu import Exchange, Queue
from pydantic import SecretStr

from roost.moves.doors import Door
from roost.moves.requests import Virtualize
from roost.pbx.kinds import connect
from roost.pbx.node import NodeAddress, PbxNode, Rings
from roost.seal import NODE_SECRET, unseal
from roost.settings import settings
from tasks import resources
from tasks.app import app
from tasks.replies import send_answer

BIND_TASK = "bench.naive_bind"
WRITE_TASK = "bench.naive_write"
QUEUE = "naive"

naive_queue = Queue(
    QUEUE,
    exchange=Exchange(""),
    routing_key=QUEUE,
    durable=True,
    queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": 5},
)


@app.task(name=BIND_TASK, bind=True, doors=frozenset(Door))
def naive_bind(self: Task[Any, Any], message: dict[str, Any]) -> None:
    """Bind, tell every node, answer."""
    request = Virtualize.model_validate(message)
    answer = resources.binding().virtualize(request)
    route = (f"{request.organization}*{request.number}", "home", request.phone)
    with app.producer_or_acquire() as producer:
        for node in _nodes():
            app.send_task(
                WRITE_TASK, (node, *route), producer=producer, queue=naive_queue, retry=False, ignore_result=True,
                delivery_mode="transient",
            )  # fmt: skip
    send_answer(self.request.reply_to, answer)


@app.task(name=WRITE_TASK)
def naive_write(node: str, extension: str, home: str, phone: str) -> None:
    """Write one route to one node."""
    _connection(node).apply([Rings(extension, home, phone)], None)


@cache
def _nodes() -> dict[str, NodeAddress]:
    private_key = settings().need("seal_private_key")
    with resources.database().connection() as connection:
        rows = connection.execute("SELECT name, kind, host, port, secret FROM pbx_node WHERE name <> 'home'")
        return {
            name: NodeAddress(kind, host, port, SecretStr(unseal(private_key, NODE_SECRET, secret.decode())))
            for name, kind, host, port, secret in rows
        }


@cache
def _connection(node: str) -> PbxNode:
    return connect(_nodes()[node], 5)
