"""How every process reaches RabbitMQ."""

from __future__ import annotations

from typing import Any

from amqp.exceptions import AMQPError  # type: ignore[import-untyped]  # it ships no types
from kombu import Connection
from kombu.exceptions import OperationalError

#: What publishing raises when the broker is gone; without `retry`, kombu lets through what its connection raises.
BROKER_LOST = (OperationalError, AMQPError, OSError)
#: A frozen broker must not hang whoever talks to it; seconds.
CONNECT_TIMEOUT = 3
#: No promise rests on a publisher confirm: what matters is in PostgreSQL, and what is unanswered is sent again.
TRANSPORT_OPTIONS: dict[str, Any] = {"read_timeout": 5, "write_timeout": 5, "confirm_publish": False}


def connect(urls: str, *, heartbeat: int = 0, **transport: object) -> Connection:
    """Connect to the first broker of `urls` that answers. Raises what the last of them raised, one of BROKER_LOST.

    `heartbeat` in seconds, 0 for none; `transport` stands in for some of TRANSPORT_OPTIONS.
    """
    connection = Connection(
        urls,
        connect_timeout=CONNECT_TIMEOUT,
        heartbeat=heartbeat,
        transport_options=TRANSPORT_OPTIONS | transport,
    )
    # Every broker of the list once, with no pause; `connect` would try two, and pause for two seconds.
    connection.ensure_connection(max_retries=urls.count(";"), reraise_as_library_errors=False)
    return connection
