"""A change of shift through four centers: from the first code keyed to the last route on the last of eight nodes, against argon2id alone."""

from __future__ import annotations

import asyncio
import time
from statistics import mean

from benchmarks.bare_argon2 import Hashers
from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.shift import CALLS, Shift
from benchmarks.stage import Rig, Stage
from benchmarks.usage import spent

_CENTERS, _NODES = 4, 8


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Once. What argon2id alone takes for as many codes, on all cores, is measured before and after."""
    people = effort.people
    stage = Stage(rig, "shift_change", extensions=3 * people, simulated=_NODES, counts={"center": _CENTERS})
    with Hashers() as hashers, stage:
        stage.use(f"s{n:03}" for n in range(_NODES))
        alone = [hashers.per_second(effort.seconds)]
        before = spent(stage.processes)
        shift = Shift(stage.product.centers, people)
        asyncio.run(shift.run())
        last_moved = time.perf_counter()
        stage.settle(300)
        last_route = time.perf_counter()
        costs = spent(stage.processes).milliseconds_each(before, people)
        alone.append(hashers.per_second(effort.seconds))
    hashing = people / mean(alone)
    report.ratio("shift_change", (last_route - shift.first_key) / hashing)
    report.figure(
        f"{people:,} people, {CALLS} calls at once: first key to last route",
        last_route - shift.first_key, "s", hashing, "argon2id alone s",
    )  # fmt: skip
    report.figure("  the last move to its route on every node", (last_route - last_moved) * 1e3, "ms")
    for outcome, calls in shift.outcomes.most_common():
        report.figure(f"  calls that came to {outcome}", calls, "")
    report.figure("processor time of a person who keys a code and moves", sum(costs.values()), "ms")
    for process, value in sorted(costs.items(), key=lambda pair: -pair[1]):
        if value >= 0.01:
            report.figure(f"  {process}", value, "ms")
