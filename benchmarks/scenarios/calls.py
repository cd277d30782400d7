"""A thousand conversations at once in one center: how late its steps come, against those of a single call, and of a bare server's call meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from benchmarks.call_load import CallJob, CallResult
from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import resident, spent
from localcluster import guardian, ports


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """One call after the other, then all of them at once; the calls come from a process of their own.

    Another process makes one call after the other to a bare server meanwhile: how late its steps are, no center is to blame for.
    """
    with (
        Stage(rig, "calls", extensions=12_000, simulated=2, counts={"push": 1}) as stage,
        _bare_center(stage) as bare,
        _caller(stage) as many_calls,
        _caller(stage) as one_call,
    ):
        stage.use(["s000", "s001"])
        center = int(stage.product.centers[0].partition(":")[2])
        seconds = 5 * effort.seconds
        _ask(many_calls, stage, center, calls=1, hold=0.005, ramp=1, seconds=seconds)
        one = _hear(many_calls)
        _ask(one_call, stage, bare, calls=1, hold=0.005, ramp=1, seconds=seconds / 2)
        bare_alone = _hear(one_call)
        ramp = max(1.0, effort.calls / 40)
        before = spent(stage.processes)
        _ask(many_calls, stage, center, calls=effort.calls, hold=effort.hold, ramp=ramp, seconds=seconds)
        # Its pauses are such that it costs the others little.
        _ask(one_call, stage, bare, calls=1, hold=0.02, ramp=ramp, seconds=seconds)
        many, bare_meanwhile = _hear(many_calls), _hear(one_call)
        used = spent(stage.processes).cores_since(before)
        memory = sum(resident(stage.processes)["center1"])
    report.ratio("center_calls.calls", many.fewest)
    report.ratio("center_calls.step_p99", _late(many.own, 0.99) / _late(one.own, 0.99))
    report.ratio("rss.center", memory)
    for name, of, base in (
        ("its own step", many.own, one.own),
        ("a step that asks the workers", many.asking, one.asking),
        ("a bare server's step meanwhile", bare_meanwhile.own, bare_alone.own),
    ):
        for quantile in (0.5, 0.99):
            report.figure(
                f"{effort.calls:,} calls: {name}, p{quantile * 100:.0f}", _late(of, quantile), "ms",
                _late(base, quantile), "one call ms",
            )  # fmt: skip
    report.figure("  steps a second", (len(many.own) + len(many.asking)) / seconds, "/s")
    report.figure("  center's processor", used["center1"], "cores")
    report.figure("  calls that broke", many.broken, "")
    report.series["call_outcomes"] = sorted({*one.outcomes, *many.outcomes})


def _late(steps: list[float], quantile: float) -> float:
    return at_quantile(sorted(steps), quantile)


@contextmanager
def _bare_center(stage: Stage) -> Iterator[int]:
    """Its port."""
    port = ports.free_port()
    with _process(stage, "benchmarks.bare_center", str(port)) as process:
        assert process.stdout is not None  # a pipe
        process.stdout.readline()
        yield port
        process.terminate()


@contextmanager
def _caller(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    with _process(stage, "benchmarks.call_load") as process:
        yield process


@contextmanager
def _process(stage: Stage, program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with (stage.folder / f"{program}.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *arguments], env=stage.environment, cwd=stage.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
        )  # fmt: skip
    guardian.watch(process.pid)
    try:
        yield process
    finally:
        assert process.stdin is not None  # a pipe
        process.stdin.close()
        process.wait(timeout=30)
        guardian.release(process.pid)


def _ask(
    process: subprocess.Popen[str], stage: Stage, port: int, *, calls: int, hold: float, ramp: float, seconds: float
) -> None:  # fmt: skip
    job = CallJob(ports.LOOPBACK, port, calls, hold, ramp, seconds, first=0, last=stage.own_movers[1])
    assert process.stdin is not None  # a pipe
    process.stdin.write(json.dumps(asdict(job)) + "\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> CallResult:
    assert process.stdout is not None  # a pipe
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the calling process ended; see its log")
    return CallResult(**json.loads(line))
