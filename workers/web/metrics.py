"""What a web process counts: HTTP requests, open streams, and how soon every node has a change."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from roost.database import RETRIES
from roost.settings import Settings
from tasks.measures import SECONDS
from workers.metrics.exporter import export
from workers.metrics.kinds import DOOR, seen_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class Metrics:
    """The numbers of one process."""

    def __init__(self) -> None:
        self._http = Histogram(
            "roost_http_request_duration_seconds", "From an HTTP request to the first byte of its answer.",
            ["method", "code"], buckets=SECONDS, registry=None,
        )  # fmt: skip
        self._answers: dict[tuple[str, int], Histogram] = {}
        self._viewers = Gauge("roost_viewers", "Open live pages and event streams.", registry=None)
        self._applied = Histogram(
            "roost_change_applied_seconds", "From recording a change until every node that answers has it.",
            buckets=SECONDS, registry=None,
        )  # fmt: skip
        self._registry = CollectorRegistry()

    def export(self, settings: Settings) -> None:
        """Export them, and what this process sees of the cluster."""
        own = (self._http, self._viewers, self._applied, *DOOR, RETRIES)
        self._registry = export("web", settings, [*own, *seen_of(settings, nodes=True)])

    def show(self) -> bytes:
        """Write it all in Prometheus's text format."""
        return generate_latest(self._registry)

    def served(self, method: str, status: int, seconds: float) -> None:
        """An HTTP request was answered."""
        known = method if method in _METHODS else "other"
        answers = self._answers.get((known, status))
        if answers is None:
            answers = self._answers[known, status] = self._http.labels(known, str(status))
        answers.observe(seconds)

    def converged(self, seconds: float) -> None:
        """A change was applied by every node that answers."""
        self._applied.observe(seconds)

    def viewing(self, viewers: int) -> None:
        """So many watch."""
        self._viewers.set(viewers)
