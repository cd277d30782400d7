"""What safety costs: three RabbitMQ nodes beside one, and a standby that has each commit before it is answered beside none. No goals, but ratios."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from statistics import median

from benchmarks.effort import Effort
from benchmarks.load import Load
from benchmarks.report import Report
from benchmarks.stage import POSTGRES, Rig, Stage
from benchmarks.usage import spent
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from localcluster.standby import Standby

_CALLERS = (1, 8, 64)
_ALONE, _THREE, _STANDBY, _BOTH = "one of each", "three RabbitMQ nodes", "a synchronous standby", "both"
_QUIET = {"verify": 0, "center": 0}


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """All stand at the same time and take turns; two simulated nodes each are pushed to."""
    loads: dict[tuple[str, int], list[Load]] = {}
    costs: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as open_now:
        three = open_now.enter_context(RabbitCluster(rig.folder / "three", 3))
        primary = open_now.enter_context(Postgres(rig.folder / "primary", options=POSTGRES))
        standby = open_now.enter_context(Standby(rig.folder / "standby", primary, options=POSTGRES))
        standby.wait_for_each_commit()
        safe = replace(rig, postgres=primary, standby=standby)
        rigs = {
            _ALONE: rig,
            _THREE: replace(rig, rabbitmq=three),
            _STANDBY: safe,
            _BOTH: replace(safe, rabbitmq=three),
        }
        stages = {
            name: open_now.enter_context(
                Stage(of, f"safety{number}", extensions=6_000, simulated=2, counts=_QUIET)
            )
            for number, (name, of) in enumerate(rigs.items())
        }
        for stage in stages.values():
            stage.use(["s000", "s001"])
            stage.callers.run("bind", callers=8, seconds=effort.seconds / 2)  # warm
        for _ in range(effort.runs):
            for callers in _CALLERS:
                for name, stage in stages.items():
                    before = spent(stage.processes)
                    load = stage.callers.run("bind", callers=callers, seconds=effort.seconds)
                    cost = spent(stage.processes).milliseconds_each(before, len(load.latencies))
                    loads.setdefault((name, callers), []).append(load)
                    costs.setdefault((name, callers), []).append(sum(cost.values()))
                    stage.settle()
    for name in (_THREE, _STANDBY, _BOTH):
        for callers in _CALLERS:
            _report(report, name, callers, loads, costs)


def _report(
    report: Report, name: str, callers: int, loads: dict[tuple[str, int], list[Load]], costs: dict[tuple[str, int], list[float]],
) -> None:  # fmt: skip
    safe, alone = loads[name, callers], loads[_ALONE, callers]
    what = f"{name}: one caller, p50" if callers == 1 else f"{name}: binds, {callers} callers"
    if callers == 1:
        measured, base = ([load.latency(0.5) for load in of] for of in (safe, alone))
    else:
        measured, base = ([load.per_second for load in of] for of in (safe, alone))
    report.figure(what, median(measured), "ms" if callers == 1 else "/s", median(base), _ALONE)
    ratios = [one / other for one, other in zip(measured, base, strict=True)]
    report.figure("  over one of each, median of the runs' ratios", median(ratios), "ratio")
    report.figure(
        "  processor time of a bind",
        median(costs[name, callers]),
        "ms",
        median(costs[_ALONE, callers]),
        _ALONE,
    )
