"""What Prometheus reads: requests by outcome, time by stage, how far the nodes are, what waits in the queues.

Each web process counts what it sees in the journal since it started: of several processes, take the maximum.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from roost.nodes.status import ClusterStatus
from roost.views.activity import Timing
from tasks.queues import QueueDepth

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one process."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "roost_requests", "Requests recorded in the journal.", ["operation", "outcome"], registry=registry
        )
        self._stages = Histogram(
            "roost_stage_seconds",
            "Seconds: asked to recorded; recorded to applied by every node; this process's question to its answer.",
            ["stage"], buckets=_FAST, registry=registry,
        )  # fmt: skip
        self._http = Histogram(
            "roost_http_seconds",
            "Seconds to answer over HTTP.",
            ["method", "status"],
            buckets=_FAST,
            registry=registry,
        )
        self._answers: dict[tuple[str, int], Histogram] = {}
        self._viewers = Gauge("roost_viewers", "Open live pages and event streams.", registry=registry)
        self._version = Gauge("roost_version", "The version of the last numbered change.", registry=registry)
        self._behind = Gauge("roost_node_behind", "Changes that a node lacks.", ["node"], registry=registry)
        self._lag = Gauge(
            "roost_node_lag_seconds",
            "For how long, at most, a change waits for a node.",
            ["node"],
            registry=registry,
        )
        self._drift = Gauge(
            "roost_node_drift", "Routes that differed at the last audit.", ["node"], registry=registry
        )
        self._failures = Gauge(
            "roost_node_failures", "Failures in a row of a node.", ["node"], registry=registry
        )
        self._refused = Gauge(
            "roost_node_refused_rows", "Rows that a node cannot hold.", ["node"], registry=registry
        )
        self._messages = Gauge("roost_queue_messages", "Messages that wait.", ["queue"], registry=registry)
        self._consumers = Gauge("roost_queue_consumers", "Who takes messages.", ["queue"], registry=registry)

    def asked(self, task: str, seconds: float) -> None:
        """A question to the workers was answered, or given up."""
        self._stages.labels(f"ask {task}").observe(seconds)

    def served(self, method: str, status: int, seconds: float) -> None:
        """An HTTP request was answered."""
        known = method if method in _METHODS else "other"
        answers = self._answers.get((known, status))
        if answers is None:
            answers = self._answers[known, status] = self._http.labels(known, str(status))
        answers.observe(seconds)

    def recorded(self, timings: list[Timing]) -> None:
        """These requests were recorded."""
        for operation, outcome, seconds in timings:
            self._requests.labels(operation, outcome).inc()
            if seconds is not None:
                self._stages.labels("asked to recorded").observe(seconds)

    def converged(self, seconds: float) -> None:
        """A change was applied by every node that answers."""
        self._stages.labels("recorded to applied").observe(seconds)

    def viewing(self, viewers: int) -> None:
        """So many watch."""
        self._viewers.set(viewers)

    def show(self, status: ClusterStatus, queues: list[QueueDepth]) -> bytes:
        """Write it all in Prometheus's text format."""
        self._version.set(status.version)
        for gauge in (
            self._behind,
            self._lag,
            self._drift,
            self._failures,
            self._refused,
            self._messages,
            self._consumers,
        ):
            gauge.clear()
        for node in status.nodes:
            self._behind.labels(node.name).set(node.behind)
            self._lag.labels(node.name).set(float("inf") if node.lag is None else node.lag)
            self._drift.labels(node.name).set(node.drift)
            self._failures.labels(node.name).set(node.failures)
            self._refused.labels(node.name).set(node.refused_rows)
        for queue in queues:
            if queue.messages is not None and queue.consumers is not None:
                self._messages.labels(queue.name).set(queue.messages)
                self._consumers.labels(queue.name).set(queue.consumers)
        return generate_latest(self._registry)
