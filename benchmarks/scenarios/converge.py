"""From a request to "applied on both", on two real Asterisk nodes, at 20 binds a second."""

from __future__ import annotations

from statistics import median

from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.paced import Moves, noop_latencies, paced_binds
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.watch import Watcher
from tasks.client import Client

_PACE = 20


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Each run begins with no-op requests, one after the other, from the same process."""
    runs: list[tuple[list[float], Moves]] = []
    with Stage(rig, "converge", extensions=6_000, asterisk=2) as stage, Client(stage.settings) as client:
        stage.use(stage.nodes)
        with Watcher(stage.nodes) as watcher:
            for _ in range(effort.runs):
                noops = noop_latencies(client, stage.settings, effort.seconds)
                moves = paced_binds(
                    client, stage.settings, watcher, movers=stage.own_movers, per_second=_PACE,
                    seconds=max(1.0, 2.5 * effort.seconds),
                )  # fmt: skip
                runs.append((noops, moves))
    base = median(at_quantile(noops, 0.5) for noops, _ in runs)
    report.figure("no-op, one caller, p50", base, "ms")
    report.figure("no-op, one caller, p99", median(at_quantile(noops, 0.99) for noops, _ in runs), "ms")
    for part, quantile in (("p50", 0.5), ("p99", 0.99)):
        ratios = [at_quantile(moves.applied, quantile) / at_quantile(noops, 0.5) for noops, moves in runs]
        report.ratio(f"converge_vs_noop.{part}", median(ratios), ratios)
        for name, of in (
            ("answered", [m.answered for _, m in runs]),
            ("applied on both", [m.applied for _, m in runs]),
        ):
            report.figure(
                f"request to {name}, 20 a second, {part}", median(at_quantile(o, quantile) for o in of), "ms",
                base, "no-op p50 ms",
            )  # fmt: skip
    every = sorted(value for _, moves in runs for value in moves.applied)
    report.series["applied"] = [round(at_quantile(every, n / 200), 3) for n in range(200)]
