"""From a bind's answer to "applied on every node", with 2 and with 16 simulated nodes; read from the nodes."""

from __future__ import annotations

from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.paced import noop_latencies, paced_binds
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.watch import Watcher
from tasks.client import Client

_PACE = 10


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Ten binds a second, at random moments."""
    with Stage(rig, "applied", extensions=6_000, simulated=16) as stage, Client(stage.settings) as client:
        noop = at_quantile(noop_latencies(client, stage.settings, effort.seconds), 0.5)
        middles = []
        for count in (2, 16):
            nodes = [f"s{n:03}" for n in range(count)]
            stage.use(nodes)
            with Watcher({name: stage.nodes[name] for name in nodes}) as watcher:
                moves = paced_binds(
                    client, stage.settings, watcher, movers=stage.own_movers, per_second=_PACE,
                    seconds=max(1.0, effort.seconds * effort.runs),
                )  # fmt: skip
            middles.append(at_quantile(moves.after_answer, 0.5))
            for quantile in (0.5, 0.99):
                report.figure(
                    f"bind's answer to applied on {count} nodes, p{quantile * 100:.0f}",
                    at_quantile(moves.after_answer, quantile), "ms", noop, "no-op p50 ms",
                )  # fmt: skip
    report.ratio("converge_16", middles[1] / middles[0])
