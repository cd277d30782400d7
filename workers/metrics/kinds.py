"""What each kind of process exports besides what all do."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Gauge
from prometheus_client.registry import Collector

from roost.database import RETRIES, Database
from roost.settings import Settings
from tasks.app import app
from tasks.at_first_use import at_first_use
from tasks.client import Client
from tasks.measures import (
    ANSWERED,
    BUSY,
    MENDED,
    PUSHED,
    PUSHES,
    REDELIVERED,
    RESENT,
    SWEPT,
    TASK_SECONDS,
    TASK_WAIT,
    TASKS,
    UNANSWERED,
)
from tasks.queues import Queues
from workers.metrics.cluster import BrokerCollector, DatabaseCollector, OnlyBroker
from workers.metrics.exporter import export

#: What every front door counts.
DOOR: tuple[Collector, ...] = (ANSWERED, UNANSWERED, RESENT)


def seen_of(settings: Settings, *, nodes: bool) -> list[Collector]:
    """PostgreSQL and RabbitMQ, asked at each scrape over connections that nobody else uses."""
    database = DatabaseCollector(_own_database(settings), nodes=nodes)
    return [database, BrokerCollector(Queues(settings).look, database)]


def export_worker(kind: str, settings: Settings, threads: int) -> None:
    """Export what a worker counts: tasks, its threads; of a push worker the pushes, and how far the nodes are."""
    for task in (
        app.tasks
    ):  # each is there from the start: what appears only when it happens first shows no increase then
        if task.startswith("roost."):
            TASKS.labels(task, "failed")
    most = Gauge("roost_threads", "Threads that this process may run tasks in.", registry=None)
    most.set(threads)
    pushing = (PUSHES, PUSHED, MENDED, SWEPT) if kind == "push" else ()
    export(
        kind, settings,
        [
            TASKS, TASK_SECONDS, TASK_WAIT, REDELIVERED, RETRIES, BUSY, most, *pushing,
            *seen_of(settings, nodes=kind == "push"),
        ],
    )  # fmt: skip


def export_beat(settings: Settings) -> None:
    """Export what a beat sees: it knows RabbitMQ alone."""
    export("beat", settings, [BrokerCollector(Queues(settings).look, None)])


def export_center(settings: Settings, client: Client, measures: list[Collector]) -> None:
    """Export what a center counts; it may not look at queues."""
    export("center", settings, [*DOOR, *measures, OnlyBroker(lambda: client.is_connected)])


def _own_database(settings: Settings) -> Callable[[], Database]:
    """A pool of one connection, opened at the first scrape."""
    return at_first_use(lambda: Database(settings.need("database_url"), size=1, name="roost-metrics"))
