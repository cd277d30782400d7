"""Binds a second in a database of a million extensions, over those in one of a thousand."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import spent

_CALLERS = 8
_QUIET = {"verify": 0, "center": 0}


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Both stand at the same time and take turns; two simulated nodes each are pushed to."""
    few: list[float] = []
    many: list[float] = []
    costs: dict[str, list[float]] = {}
    began = time.perf_counter()
    with (
        Stage(rig, "million", extensions=effort.many_extensions, simulated=2, counts=_QUIET) as large,
        Stage(rig, "thousand", extensions=1_000, simulated=2, counts=_QUIET) as small,
    ):
        filled = time.perf_counter() - began
        row = large.sql.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None  # it always has one
        for stage in (large, small):
            stage.use(["s000", "s001"])
            stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds)  # warm
        for _ in range(effort.runs):
            for stage, found in ((small, few), (large, many)):
                before = spent(stage.processes)
                load = stage.callers.run("bind", callers=_CALLERS, seconds=effort.steady)
                stage.settle()
                found.append(load.per_second)
                cost = spent(stage.processes).milliseconds_each(before, len(load.latencies))
                costs.setdefault(stage.url, []).append(sum(cost.values()))
    ratios = [of_many / of_few for of_many, of_few in zip(many, few, strict=True)]
    report.ratio("bind_1m_vs_1k", median(ratios), ratios)
    report.figure(
        f"binds with {effort.many_extensions:,} extensions",
        median(many),
        "/s",
        median(few),
        "1,000 extensions /s",
    )
    report.figure(
        "  processor time of a bind",
        median(costs[large.url]),
        "ms",
        median(costs[small.url]),
        "1,000 extensions ms",
    )
    report.figure("  the database, an extension with its phone", row[0] / effort.many_extensions / 1024, "KB")
    report.figure("filling and starting it", filled, "s")
