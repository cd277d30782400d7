"""Binds a second, against the same core driven by procrastinate on the same database."""

from __future__ import annotations

from statistics import median

from procrastinate import App, SyncPsycopgConnector

from benchmarks.effort import Effort
from benchmarks.procrastinate_caller import ProcrastinateCallers
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import resident

_CALLERS = 8


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Both workers stand ready all the time and take turns; two simulated nodes are pushed to."""
    ours: list[float] = []
    theirs: list[float] = []
    stage = Stage(rig, "procrastinate", extensions=12_000, simulated=2, counts={"verify": 0, "center": 0})
    with App(connector=SyncPsycopgConnector(conninfo=stage.url)).open() as app:
        app.schema_manager.apply_schema()
    stage.add_process("procrastinate1", "benchmarks.procrastinate_worker")
    with stage, ProcrastinateCallers(stage.settings, stage.own_movers, _CALLERS) as callers:
        stage.use(["s000", "s001"])
        stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds / 2)  # warm
        callers.run(effort.seconds / 2)
        for _ in range(effort.runs):
            ours.append(stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds).per_second)
            stage.settle()
            theirs.append(callers.run(effort.seconds))
            stage.settle()
        memory = resident(stage.processes)
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    report.ratio("vs_procrastinate", median(ratios), ratios)
    report.figure("binds, 8 callers", median(ours), "/s", median(theirs), "procrastinate /s")
    report.figure("resident: a procrastinate worker", sum(memory["procrastinate1"]), "MB")
