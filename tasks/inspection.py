"""The broker's view of our queues, for who looks after the cluster. Asks only, and declares nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from amqp.exceptions import NotFound  # type: ignore[import-untyped]  # it ships no types
from kombu import Connection
from kombu.exceptions import OperationalError

from roost.diagnosis.queues import QueueState
from roost.errors import BrokerUnavailable
from roost.settings import Settings
from tasks.topology import (
    ANNOUNCE,
    BIND,
    CONNECT_TIMEOUT,
    DEAD,
    TRANSPORT_OPTIONS,
    VERIFY,
    push_queue_name,
)  # fmt: skip

#: Who consumes each queue that is always there; nobody consumes the dead.
_SERVED_BY = {VERIFY: "verify", BIND: "bind", ANNOUNCE: "push", DEAD: ""}


def inspect_queues(settings: Settings, nodes: Iterable[str]) -> list[QueueState]:
    """Ask for every queue, those of these nodes included. Raises BrokerUnavailable, SettingMissing."""
    wanted = _SERVED_BY | {push_queue_name(node): "push" for node in nodes}
    url = settings.need("broker_url")
    try:
        with Connection(
            url, connect_timeout=CONNECT_TIMEOUT, transport_options=TRANSPORT_OPTIONS
        ) as connection:
            connection.ensure_connection(max_retries=1, timeout=CONNECT_TIMEOUT)
            return list(_states(connection, wanted))
    except (OperationalError, *Connection(url).connection_errors) as error:
        raise BrokerUnavailable(f"({type(error).__name__})") from None


def _states(connection: Connection, wanted: dict[str, str]) -> Iterator[QueueState]:
    for name, served_by in wanted.items():
        # A queue that is not there closes the channel that asked.
        with connection.channel() as channel:
            try:
                found = channel.queue_declare(name, passive=True)
            except NotFound:
                yield QueueState(name, served_by, exists=False)
                continue
            yield QueueState(
                name, served_by, exists=True, messages=found.message_count, consumers=found.consumer_count
            )
