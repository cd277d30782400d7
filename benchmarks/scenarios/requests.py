"""Requests and their answers: no-op, bind, verified and bound; what each costs in processor time and memory."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.bare_argon2 import Hashers, one_at_a_time
from benchmarks.burst import Burst
from benchmarks.caller import binds
from benchmarks.effort import Effort, middle
from benchmarks.keyed_call import outcome_after_code
from benchmarks.load import Load, at_quantile
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import resident, spent
from benchmarks.world import CODE
from roost.moves.requests import Virtualize

_CALLERS = 8
_KINDS = {"noop": "no-op", "bind": "bind", "verify": "verified and bound", "wrong_code": "wrong code"}
_EXTENSIONS = 6_000


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Two simulated nodes are pushed to all the time."""
    loads: dict[tuple[str, int], list[Load]] = {}
    costs: dict[str, list[dict[str, float]]] = {}
    argon2: list[float] = []
    latencies: list[list[float]] = []
    hash_times: list[float] = []
    burst = Burst()
    with Hashers() as hashers, Stage(rig, "requests", extensions=_EXTENSIONS, simulated=2) as stage:
        stage.use(["s000", "s001"])
        first, last = stage.own_movers
        half = (first + last) // 2
        for kind in ("noop", "bind", "verify"):
            stage.callers.run(kind, callers=_CALLERS, seconds=effort.seconds / 2)  # warm
        for _ in range(effort.runs):
            for kind in _KINDS:
                for callers in (1, _CALLERS):
                    if (kind, callers) == ("wrong_code", 1):
                        continue
                    before = spent(stage.processes)
                    load = stage.callers.run(kind, callers=callers, seconds=effort.seconds)
                    loads.setdefault((kind, callers), []).append(load)
                    if callers == _CALLERS:
                        cost = spent(stage.processes).milliseconds_each(before, len(load.latencies))
                        costs.setdefault(kind, []).append(cost)
            argon2.append(hashers.per_second(effort.seconds))
            stage.settle()
            # By turns: argon2id takes a third longer in one minute than in the next.
            hash_times.append(at_quantile(one_at_a_time(effort.seconds / 2), 0.5))
            latencies.append(_keyed(stage, (first, half), effort.seconds))
            burst.run(rig, stage, (half, last), effort.seconds)
        memory = resident(stage.processes)
    _report_loads(report, loads)
    _report_ratios(report, loads, argon2, latencies, hash_times)
    burst.report(report)
    for kind, found in costs.items():
        _report_costs(report, kind, found)
    for name, sizes in memory.items():
        if not name.startswith(("caller", "rabbitmq", "postgres")):
            report.figure(f"resident: {name}, {len(sizes)} process(es)", sum(sizes), "MB")
    report.figure("resident: rabbitmq", sum(memory["rabbitmq"]), "MB")
    report.figure("resident: postgres (shared pages counted in each process)", sum(memory["postgres"]), "MB")


def _keyed(stage: Stage, movers: tuple[int, int], seconds: float) -> list[float]:
    """Calls one after the other, each with the right code; milliseconds of silence, in order."""
    found: list[float] = []
    ends = time.monotonic() + seconds
    requests = binds(*movers, stage.settings)
    while not found or time.monotonic() < ends:
        _, request = next(requests)
        assert isinstance(request, Virtualize)  # `binds` makes nothing else
        found.append(
            outcome_after_code(stage.product.centers[0], request.phone, f"*30{request.number}", CODE)
        )
    return sorted(found)


def _report_loads(report: Report, loads: dict[tuple[str, int], list[Load]]) -> None:
    for (kind, callers), runs in loads.items():
        base = loads["noop", callers]
        name = f"{_KINDS[kind]}, {callers} caller{'s' * (callers > 1)}"
        noop = kind == "noop"
        report.figure(
            name, median(r.per_second for r in runs), "/s",
            None if noop else median(r.per_second for r in base), "" if noop else "no-op /s",
        )  # fmt: skip
        for quantile in (0.5, 0.99):
            report.figure(
                f"  p{quantile * 100:.0f}", median(r.latency(quantile) for r in runs), "ms",
                None if noop else median(r.latency(quantile) for r in base), "" if noop else "no-op ms",
            )  # fmt: skip
        report.series.setdefault("latencies", {})[name] = _thinned(runs)
    for kind in _KINDS:
        outcomes = {outcome for load in loads[kind, _CALLERS] for outcome in load.outcomes}
        report.series.setdefault("outcomes", {})[kind] = sorted(outcomes)


def _thinned(runs: list[Load]) -> list[float]:
    every = sorted(latency for run in runs for latency in run.latencies)
    return [round(at_quantile(every, n / 200), 3) for n in range(200)]


def _report_ratios(
    report: Report, loads: dict[tuple[str, int], list[Load]], argon2: list[float], keyed: list[list[float]],
    hash_times: list[float],
) -> None:  # fmt: skip
    def over(kind: str, bases: list[float]) -> list[float]:
        return [load.per_second / base for load, base in zip(loads[kind, _CALLERS], bases, strict=True)]

    noop_rates = [load.per_second for load in loads["noop", _CALLERS]]
    for key, runs in (
        ("bind_vs_noop", over("bind", noop_rates)),
        ("verify_vs_argon2", over("wrong_code", argon2)),
    ):
        report.ratio(key, median(runs), runs)
    base = median(argon2)
    report.figure("bare argon2id on all cores", base, "/s")
    report.figure(
        "verified and bound, over bare argon2id", middle(over("verify", argon2)), "ratio", base, "/s"
    )
    report.figure("bare argon2id, one at a time, p50", middle(hash_times), "ms")
    noops = [load.latency(0.5) for load in loads["noop", 1]]
    for part, quantile in (("p50", 0.5), ("p99", 0.99)):
        runs = [
            (at_quantile(found, quantile) - hash_time) / noop
            for found, hash_time, noop in zip(keyed, hash_times, noops, strict=True)
        ]
        report.ratio(f"latency_vs_noop.{part}", median(runs), runs)
        report.figure(
            f"code keyed to outcome told, one call, {part}", middle([at_quantile(f, quantile) for f in keyed]),
            "ms", middle(noops), "no-op p50 ms",
        )  # fmt: skip


def _report_costs(report: Report, kind: str, found: list[dict[str, float]]) -> None:
    each = {name: median(cost[name] for cost in found) for name in found[0]}
    report.figure(f"processor time of a {_KINDS[kind]}, 8 callers", sum(each.values()), "ms")
    for name, value in sorted(each.items(), key=lambda pair: -pair[1]):
        if value >= 0.01:
            report.figure(f"  {name}", value, "ms")
    report.series.setdefault("cost", {})[kind] = {name: round(value, 3) for name, value in each.items()}
