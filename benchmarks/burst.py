"""Many at once: binds by 64 callers over no-ops by as many, and over `pgbench` calling the same function with as many clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import spent
from benchmarks.world import ORGANIZATION
from roost.version import VERSION, functions_of

_CALLERS = 64
_NAMES = {"noop": "no-op", "bind": "bind", "pgbench": "the bind's function alone, by pgbench"}
#: How many times each client of pgbench runs the script for a second of a run: about as long as that takes here.
_TIMES = 10

#: Each client has movers of its own, which no caller moves, and moves one of them to each of its two phones in turn (benchmarks/world.py).
_MOVE = f"""
SELECT outcome FROM virtualize(
    ROW(gen_random_uuid()::text, clock_timestamp(), clock_timestamp() + interval '10 s', 'api', '', 'virtualize', '', NULL)::asked,
    'p' || lpad((3 * :mover + {{place}})::text, 7, '0'), lpad((3 * :mover)::text, 7, '0'), '{ORGANIZATION}', '', 30);
"""
_SCRIPT = "\\set mover {first} + :client_id * {share} + random(0, {share} - 1)\n" + "".join(
    _MOVE.format(place=place) for place in (1, 2)
)


@dataclass(slots=True)
class Burst:
    """What each run measured: rates a second, and milliseconds of each kind of process for a request."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {"noop": [], "bind": [], "pgbench": []})
    costs: dict[str, list[dict[str, float]]] = field(default_factory=lambda: {"noop": [], "bind": []})

    def run(self, rig: Rig, stage: Stage, movers: tuple[int, int], seconds: float) -> None:
        """One run: the three take turns within it. `pgbench` moves these movers, from the first up to the last."""
        for kind, found in self.costs.items():
            before = spent(stage.processes)
            load = stage.callers.run(kind, callers=_CALLERS, seconds=seconds)
            found.append(spent(stage.processes).milliseconds_each(before, len(load.latencies)))
            self.rates[kind].append(load.per_second)
        stage.settle()
        runs = rig.postgres.pgbench(
            stage.url,
            _SCRIPT.format(first=movers[0], share=(movers[1] - movers[0]) // _CALLERS),
            clients=_CALLERS,
            times=max(2, round(_TIMES * seconds)),
            search_path=f"{functions_of(VERSION)},public",
        )
        self.rates["pgbench"].append(2 * runs)
        stage.settle()

    def report(self, report: Report) -> None:
        """The ratios, and what they are of."""
        for key, base in (("bind_burst", "noop"), ("bind_vs_database", "pgbench")):
            ratios = [bind / other for bind, other in zip(self.rates["bind"], self.rates[base], strict=True)]
            report.ratio(key, median(ratios), ratios)
        ratios = [
            sum(bind.values()) / sum(noop.values())
            for bind, noop in zip(self.costs["bind"], self.costs["noop"], strict=True)
        ]
        report.ratio("cpu_per_bind", median(ratios), ratios)
        for kind, name in _NAMES.items():
            report.figure(f"{name}, {_CALLERS} callers", median(self.rates[kind]), "/s")
        for kind, costs in self.costs.items():
            each = {process: median(cost[process] for cost in costs) for process in costs[0]}
            report.figure(f"processor time of a {_NAMES[kind]}, {_CALLERS} callers", sum(each.values()), "ms")
            for process, value in sorted(each.items(), key=lambda pair: -pair[1]):
                if value >= 0.01:
                    report.figure(f"  {process}", value, "ms")
