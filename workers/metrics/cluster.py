"""What a process sees when it is scraped: PostgreSQL, RabbitMQ and its queues, and how far the nodes are.

Several processes tell the same of the nodes and the queues: take the maximum of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from roost.database import Database, query
from roost.errors import Unavailable
from roost.nodes.status import ClusterStatus, NodeStatus, cluster_status
from roost.version import WrongVersion, check_version
from tasks.queues import QueueDepth
from workers.metrics.look import Look

_NODE_GAUGES: dict[str, tuple[str, Callable[[NodeStatus], float]]] = {
    "failures": ("Pushes that failed in a row; 0 when the last one did not.", lambda node: node.failures),
    "behind_changes": ("Changes that the node lacks.", lambda node: node.behind),
    "lag_seconds": (
        "For how long, at most, a change waits for the node; +Inf when no push ever reached it.",
        lambda node: math.inf if node.lag is None else node.lag,
    ),
    "drift_routes": ("Routes that differed at the last audit, and were mended.", lambda node: node.drift),
    "refused_rows": ("Rows that the node cannot hold.", lambda node: node.refused_rows),
    "audited_timestamp_seconds": (
        "When the last audit of the node ended; 0: never.",
        lambda node: node.audited_at.timestamp() if node.audited_at else 0,
    ),
}


class DatabaseCollector(Collector):
    """PostgreSQL as one process sees it; with `nodes`, what it says of the nodes in use, and how large the journal is."""

    def __init__(self, database: Callable[[], Database], *, nodes: bool) -> None:
        self._database = database
        self._with_nodes = nodes
        self._look = Look(self._ask, "database")
        #: The names of the nodes that were seen last.
        self.nodes: tuple[str, ...] = ()

    def begin(self) -> None:
        """Ask PostgreSQL without waiting for its answer, so that RabbitMQ can be asked meanwhile."""
        self._look.begin()

    def collect(self) -> Iterator[Metric]:
        """Ask, and tell."""
        reached, supported, told = 0, None, None
        try:
            told = self._look.answer(self._look.begin())
            reached, supported = 1, 1
        except WrongVersion:
            reached, supported = 1, 0
        except Unavailable:
            pass  # that is what the metric says
        yield GaugeMetricFamily("roost_postgresql_up", "Whether PostgreSQL answers this process.", reached)
        if supported is not None:
            yield GaugeMetricFamily(
                "roost_schema_supported", "Whether this program runs on the schema of the database.", supported
            )  # fmt: skip
        if told is not None:
            yield GaugeMetricFamily("roost_schema_version", "The version of the database's schema.", told[0])
            if told[1] is not None:
                yield from _tell_status(told[1])
                yield GaugeMetricFamily("roost_journal_size_bytes", "The journal with its indexes.", told[2])

    def _ask(self) -> tuple[int, ClusterStatus | None, int]:
        with self._database().connection() as connection:
            version = check_version(connection)
            if not self._with_nodes:
                return version, None, 0
            row = connection.execute(query("read_journal_size")).fetchone()
        assert row is not None  # it always has one
        status = cluster_status(self._database())
        self.nodes = tuple(node.name for node in status.nodes if node.enabled)
        return version, status, row[0]


def _tell_status(status: ClusterStatus) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "roost_change_version", "The version of the last numbered change.", status.version
    )
    yield GaugeMetricFamily(
        "roost_changes_unnumbered", "Changes that have no version yet.", status.unnumbered
    )
    for name, (meaning, value) in _NODE_GAUGES.items():
        family = GaugeMetricFamily(f"roost_node_{name}", meaning, labels=["node"])
        for node in status.nodes:
            if node.enabled:
                family.add_metric([node.name], value(node))
        yield family


class BrokerCollector(Collector):
    """RabbitMQ as one process sees it, and how many messages wait in each queue."""

    def __init__(
        self, look: Callable[[tuple[str, ...]], list[QueueDepth]], database: DatabaseCollector | None
    ) -> None:
        self._database = database
        self._look = Look(lambda: look(database.nodes if database else ()), "broker")

    def begin(self) -> Future[list[QueueDepth]]:
        """Ask already."""
        return self._look.begin()

    def collect(self) -> Iterator[Metric]:
        """Ask, and tell. A queue that is not there has no messages, and nobody who takes them."""
        try:
            queues = self._look.answer(self.begin())
        except Unavailable:
            yield broker_up(up=False)
            return
        yield broker_up(up=True)
        messages = GaugeMetricFamily(
            "roost_queue_messages", "Messages that wait in a queue.", labels=["queue"]
        )
        consumers = GaugeMetricFamily(
            "roost_queue_consumers", "Who takes messages from a queue.", labels=["queue"]
        )
        for queue in queues:
            messages.add_metric([queue.name], queue.messages or 0)
            consumers.add_metric([queue.name], queue.consumers or 0)
        yield from (messages, consumers)


class OnlyBroker(Collector):
    """RabbitMQ as it seemed when it was last needed: for who may not look at queues."""

    def __init__(self, is_connected: Callable[[], bool]) -> None:
        self._is_connected = is_connected

    def collect(self) -> Iterator[Metric]:
        """Tell; nobody is asked."""
        yield broker_up(up=self._is_connected())


def broker_up(*, up: bool) -> Metric:
    """Whether RabbitMQ answers."""
    return GaugeMetricFamily(
        "roost_rabbitmq_up", "Whether RabbitMQ answers this process, and takes messages.", int(up)
    )
