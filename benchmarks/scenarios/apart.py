"""Scaling out by simulation: PostgreSQL, RabbitMQ, each worker, caller and node as on a host of its own, a round trip of 1 ms apart, over none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from statistics import median

from benchmarks.effort import Effort
from benchmarks.hosts_apart import ROUND_TRIP
from benchmarks.report import Report
from benchmarks.stage import TOP, Rig

_ONE_WAY = 0.0005
_PROGRAMS = ("unshare", "ip", "iptables")


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """In a network namespace of its own, so that nothing else on the machine is slow. Needs root; says so and leaves it out without."""
    missing = [program for program in _PROGRAMS if not shutil.which(program)]
    if os.geteuid() != 0 or missing:
        report.left_out["apart"] = (
            f"left out: it needs root, to hold packets back, and {', '.join(_PROGRAMS)}"
        )
        return
    folder = rig.folder / "apart"
    folder.mkdir()
    folder.chmod(0o755)
    job = [str(folder), str(_ONE_WAY), str(effort.runs), str(effort.seconds)]
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "benchmarks.hosts_apart", *job],
        cwd=TOP, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found: dict[str, list[dict[str, float]]] = json.loads(done.stdout.splitlines()[-1])
    for name in found["apart"][0]:
        apart = [run[name] for run in found["apart"]]
        if name not in found["near"][0]:
            report.figure(f"  {name}", median(apart), "")
            continue
        near = [run[name] for run in found["near"]]
        report.figure(
            name, median(apart), "/s" if name.startswith("moves,") else "ms", median(near), "loopback"
        )
        if name == ROUND_TRIP:
            continue
        ratios = [one / other for one, other in zip(apart, near, strict=True)]
        report.figure("  over loopback, median of the runs' ratios", median(ratios), "ratio")
