"""A thousand conversations at once in one center: how late its steps come, against those of a single call."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.call_load import CallJob, CallResult
from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import resident, spent
from localcluster import guardian


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """One call after the other, then all of them at once; the calls come from a process of their own."""
    with Stage(rig, "calls", extensions=12_000, simulated=2, counts={"push": 1}) as stage:
        stage.use(["s000", "s001"])
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.call_load"], env=stage.environment, cwd=stage.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(stage.folder / "call_load.log").open("w"),
            start_new_session=True,
        )  # fmt: skip
        guardian.watch(process.pid)
        try:
            seconds = 5 * effort.seconds
            one = _run(process, stage, calls=1, hold=0.005, ramp=1, seconds=seconds)
            ramp = max(1.0, effort.calls / 40)
            before = spent(stage.processes)
            many = _run(process, stage, calls=effort.calls, hold=effort.hold, ramp=ramp, seconds=seconds)
            used = spent(stage.processes).cores_since(before)
            memory = sum(resident(stage.processes)["center1"])
        finally:
            assert process.stdin is not None  # a pipe
            process.stdin.close()
            process.wait(timeout=30)
            guardian.release(process.pid)
    report.ratio("center_calls.calls", many.fewest)
    alone = at_quantile(sorted(one.own), 0.99)
    report.ratio("center_calls.step_p99", at_quantile(sorted(many.own), 0.99) / alone)
    report.ratio("rss.center", memory)
    for name, of, base in (
        ("its own step", many.own, one.own),
        ("a step that asks the workers", many.asking, one.asking),
    ):
        for quantile in (0.5, 0.99):
            report.figure(
                f"{effort.calls:,} calls: {name}, p{quantile * 100:.0f}", at_quantile(sorted(of), quantile), "ms",
                at_quantile(sorted(base), quantile), "one call ms",
            )  # fmt: skip
    report.figure("  steps a second", (len(many.own) + len(many.asking)) / seconds, "/s")
    report.figure("  center's processor", used["center1"], "cores")
    report.figure("  calls that broke", many.broken, "")
    report.series["call_outcomes"] = sorted({*one.outcomes, *many.outcomes})


def _run(
    process: subprocess.Popen[str], stage: Stage, *, calls: int, hold: float, ramp: float, seconds: float
) -> CallResult:
    host, _, port = stage.product.centers[0].partition(":")
    job = {
        "host": host, "port": int(port), "calls": calls, "hold": hold, "ramp": ramp, "seconds": seconds,
        "first": 0, "last": stage.own_movers[1],
    }  # fmt: skip
    CallJob(**job)  # type: ignore[arg-type]  # a spelling mistake shows here, not in the other process
    assert process.stdin is not None  # pipes
    assert process.stdout is not None
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the calling process ended; see its log")
    return CallResult(**json.loads(line))
