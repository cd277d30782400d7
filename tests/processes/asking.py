"""Messages to the workers as somebody writes them by hand, with the login of one kind of process."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from kombu import Connection, Queue

from localcluster.rabbitmq import own_user
from roost.moves.outcomes import Outcome
from roost.seal import seal
from tasks.broker import connect
from tests.cluster import Cluster


@contextmanager
def logged_in(office: Cluster, kind: str) -> Iterator[Connection]:
    """A connection as one kind of process has it, on which each message is confirmed."""
    with connect(own_user(office.product.broker_url, kind), confirm_publish=True) as connection:
        yield connection


def publish(
    connection: Connection,
    exchange: str,
    key: str,
    task: str,
    message: object,
    follows: object = None,
    **more: Any,
) -> None:
    """Publish a task as Celery does; `follows` is what it asks to be done afterwards."""
    headers = {"task": task, "id": str(uuid.uuid4()), "lang": "py"}
    connection.Producer(auto_declare=False).publish(
        [[message], {}, follows or {}],
        exchange=exchange,
        routing_key=key,
        serializer="json",
        headers=headers,
        **more,
    )


def ask(connection: Connection, door: str, key: str, task: str, message: dict[str, object]) -> Outcome:
    """Ask by a door by hand; the outcome that comes back."""
    name = f"reply.{door}.{uuid.uuid4().hex}"
    heard: list[Any] = []
    replies = Queue(name, durable=False, exclusive=True, auto_delete=True)
    with connection.Consumer(
        [replies], callbacks=[lambda body, _: heard.append(body)], accept=["json"], no_ack=True
    ):
        publish(connection, f"roost.{door}", key, task, message, reply_to=name)
        connection.drain_events(timeout=20)
    body = json.loads(heard[0]) if isinstance(heard[0], str) else heard[0]
    return Outcome(body["outcome"])


def a_move(origin: str) -> dict[str, object]:
    """A request to move 001 to the phone of 002, as from `origin`."""
    return {
        "request_id": uuid.uuid4().hex, "origin": origin, "actor": "root", "made_at": datetime.now(UTC).isoformat(),
        "organization": "0001", "number": "001", "phone": "desk002",
    }  # fmt: skip


def a_code(office: Cluster) -> dict[str, object]:
    """Whoever has the public key can seal a code: every center does."""
    request_id = uuid.uuid4().hex
    sealed = seal(office.product.settings.need("seal_public_key"), request_id, "4711")
    return {
        "request_id": request_id, "origin": "cli", "made_at": datetime.now(UTC).isoformat(),
        "organization": "0001", "number": "001", "sealed_code": sealed,
    }  # fmt: skip


def waiting(office: Cluster, queue: str) -> int:
    """Messages that wait in a queue; those that a worker has are not counted."""
    with connect(office.product.broker_url) as connection:
        return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
