"""The cluster as a picture."""

from __future__ import annotations

from dataclasses import dataclass

from roost.database import Database
from roost.diagnosis.nodes import check_state
from roost.diagnosis.processes import check_processes
from roost.diagnosis.queues import broker_away, check_queues
from roost.finding import Finding, Level
from roost.moves.outcomes import GRANTED, NOTHING_TO_DO
from roost.nodes.status import ClusterStatus, cluster_status
from roost.settings import Settings
from roost.views.activity import Count, count_requests
from tasks.background import Background
from tasks.processes import KINDS, Process, Processes
from tasks.queues import QueueDepth, Queues, states_of
from workers.web.live.activity import Pulse
from workers.web.live.hub import Fragments
from workers.web.pages.render import render
from workers.web.texts import text

#: Seconds that the first look after a quiet time may wait for what RabbitMQ tells.
PATIENCE = 1.0
#: Seconds in a chart.
SPAN = 60
_CHART_WIDTH, _CHART_HEIGHT = 240, 62
_DONE = GRANTED | NOTHING_TO_DO


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart, in its own units."""

    kind: str
    x: float
    y: float
    width: float
    height: float


class ClusterPicture:
    """Nodes, processes, queues and charts."""

    def __init__(
        self, database: Database, queues: Queues, processes: Processes, pulse: Pulse, settings: Settings
    ) -> None:
        self._database = database
        self._settings = settings
        self._nodes: tuple[str, ...] = ()
        self._queues = Background(lambda: queues.look(self._nodes), "queues")
        self._processes = processes
        self._pulse = pulse

    def __call__(self) -> Fragments:
        """Read and render it."""
        status = cluster_status(self._database)
        self._nodes = tuple(node.name for node in status.nodes if node.enabled)
        queues = self._queues.seen(PATIENCE)
        counts = count_requests(self._database, SPAN)
        return self._render(status, queues, counts)

    def close(self) -> None:
        """Look no more."""
        self._queues.close()

    def _render(
        self, status: ClusterStatus, queues: list[QueueDepth] | None, counts: list[Count]
    ) -> Fragments:
        of_nodes = {
            node.name: list(check_state(node, self._settings, passing=False)) for node in status.nodes
        }
        fragments = {
            f"node-{node.name}": render("node_card.html", node=node, findings=of_nodes[node.name])
            for node in status.nodes
        }
        fragments["cluster-version"] = render("cluster_version.html", version=status.version)
        running = self._processes.look(PATIENCE)
        failure = self._queues.failure
        away = broker_away(failure.detail) if queues is None and failure is not None else None
        fragments["cluster-advice"] = render("advice.html", findings=_advice(of_nodes, queues, running, away))
        rows = None if queues is None else [(each, about_queues([each])) for each in queues]
        fragments["cluster-queues"] = render("queues.html", queues=rows, away=away)
        fragments["cluster-processes"] = render("processes.html", processes=running, kinds=KINDS)
        fragments["chart-requests"] = _requests_chart(counts, int(status.now.timestamp()))
        fragments["chart-converge"] = _converge_chart(self._pulse.converged)
        return fragments


def _advice(
    of_nodes: dict[str, list[Finding]],
    queues: list[QueueDepth] | None,
    running: list[Process] | None,
    away: Finding | None,
) -> list[Finding]:
    """What is to be done, the worst first, as `roost doctor` and the alerts say it of the same figures."""
    found = [away] if away is not None else about_queues(queues or [])
    if running is not None:
        found += check_processes({process.kind for process in running})
    for some in of_nodes.values():
        found += some
    return sorted(found, key=lambda finding: finding.level is not Level.ERROR)


def about_queues(queues: list[QueueDepth]) -> list[Finding]:
    """What is to be done about some queues."""
    found = check_queues(states_of(queues))
    return [finding for finding in found if finding.level in {Level.ERROR, Level.WARNING}]


def _requests_chart(counts: list[Count], now: int) -> str:
    done, refused = dict[int, int](), dict[int, int]()
    for count in counts:
        into = done if count.outcome in _DONE else refused
        into[count.second] = into.get(count.second, 0) + count.requests
    totals = {second: done.get(second, 0) + refused.get(second, 0) for second in done | refused}
    most = max(totals.values(), default=0)
    width = _CHART_WIDTH / SPAN
    bars = []
    for second, total in sorted(totals.items()):
        x = round((second - (now - SPAN + 1)) * width, 2)
        if x < 0:
            continue
        top = _CHART_HEIGHT - _scaled(total, most)
        split = _CHART_HEIGHT - _scaled(done.get(second, 0), most)
        bars.append(Bar("refused", x, round(top, 1), round(width - 0.8, 2), round(split - top, 1)))
        bars.append(
            Bar("granted", x, round(split, 1), round(width - 0.8, 2), round(_CHART_HEIGHT - split, 1))
        )
    return render(
        "chart.html", id="chart-requests", title=text("cluster.requests"), bars=[bar for bar in bars if bar.height],
        now=text("cluster.requests_now", count=totals.get(now - 1, 0)), label=text("cluster.chart_requests", most=most),
    )  # fmt: skip


def _converge_chart(took: list[float]) -> str:
    most = max(took, default=0)
    width = _CHART_WIDTH / SPAN
    bars = []
    for place, seconds in enumerate(took):
        height = round(max(1.0, _scaled(seconds, most)), 1)
        bars.append(
            Bar(
                "granted",
                round(place * width, 2),
                round(_CHART_HEIGHT - height, 1),
                round(width - 0.8, 2),
                height,
            )
        )
    last = (
        text("cluster.converge_now", milliseconds=round(took[-1] * 1000))
        if took
        else text("cluster.converge_none")
    )
    return render(
        "chart.html", id="chart-converge", title=text("cluster.converge"), bars=bars, now=last,
        label=text("cluster.chart_converge", count=len(took), most=round(most * 1000)),
    )  # fmt: skip


def _scaled(value: float, most: float) -> float:
    return value / most * (_CHART_HEIGHT - 4) if most else 0.0
