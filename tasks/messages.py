"""Sending a job, in Celery's task protocol 2 (docs.celeryq.dev, "Message Protocol").

Celery's own way to send one (`send_task`) costs a worker as much processor time as the job it hands on.
"""

from __future__ import annotations

import uuid
from typing import Any

from kombu import Exchange, Producer

from tasks.measures import stamp

#: What follows the arguments in a message's body; Roost names no argument and chains nothing.
_NO_MORE: tuple[dict[str, Any], dict[str, Any]] = ({}, {})


def publish_job(
    producer: Producer,
    task: str,
    argument: object,
    queue: str,
    *,
    exchange: Exchange | str = "",
    **properties: Any,
) -> None:
    """Publish a job with its one argument, which Celery shows nobody. `properties` are AMQP's and the producer's."""
    producer.publish(
        ([argument], *_NO_MORE), exchange=exchange, routing_key=queue, serializer="json", retry=False,
        headers={
            "task": task, "id": uuid.uuid4().hex, "lang": "py", "argsrepr": "(…)", "kwargsrepr": "{}", "sent_at": stamp(),
        },
        **properties,
    )  # fmt: skip
