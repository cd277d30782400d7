"""Binds a second with 1, 2 and 4 bind workers, and who uses the processor: what saturates next."""

from __future__ import annotations

import os

from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import spent

_CALLERS = 16


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Two simulated nodes are pushed to; 16 callers, so that each worker has enough to do."""
    base = 0.0
    for workers in (1, 2, 4):
        with Stage(
            rig, f"workers{workers}", extensions=6_000, simulated=2, bind=workers, counts={"verify": 0, "center": 0}
        ) as stage:  # fmt: skip
            stage.use(["s000", "s001"])
            stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds / 2)  # warm
            before = spent(stage.processes)
            load = stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds)
            after = spent(stage.processes)
        base = base or load.per_second
        report.figure(
            f"binds, {workers} bind worker(s), 16 callers", load.per_second, "/s", base, "1 worker /s"
        )
        used: dict[str, float] = {}
        for name, cores in after.cores_since(before).items():
            kind = name.rstrip("0123456789")
            used[kind] = used.get(kind, 0) + cores
        report.figure("  cores in use", sum(used.values()), "cores", os.cpu_count(), "cores there are")
        for kind, cores in sorted(used.items(), key=lambda pair: -pair[1]):
            if cores >= 0.05:
                report.figure(f"    {kind}", cores, "cores")
        report.series.setdefault("binds_by_workers", {})[str(workers)] = round(load.per_second, 1)
