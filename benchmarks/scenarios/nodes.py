"""Binds at full load while 2, 16 and 64 simulated nodes are pushed to; broker messages, and the push worker's memory."""

from __future__ import annotations

from statistics import median

from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import resident, spent

_MOST = 64
_CALLERS = 8


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """The counts take turns within a run, so that what slows the machine slows all of them."""
    rates: dict[int, list[float]] = {2: [], 16: [], _MOST: []}
    messages: list[float] = []
    log_bytes: list[float] = []
    costs: dict[int, list[dict[str, float]]] = {count: [] for count in rates}
    with Stage(rig, "nodes", extensions=6_000, simulated=_MOST, counts={"verify": 0, "center": 0}) as stage:
        stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds / 2)  # warm
        for _ in range(effort.runs):
            for count, found in rates.items():
                stage.use(f"s{n:03}" for n in range(count))
                before = spent(stage.processes)
                load = stage.callers.run("bind", callers=_CALLERS, seconds=effort.steady)
                costs[count].append(spent(stage.processes).milliseconds_each(before, len(load.latencies)))
                found.append(load.per_second)
            # Asking takes seconds, and the sweep goes on meanwhile: what one question hears of it is taken off.
            asked = rig.messages()
            sent, written = rig.messages(), _written(stage)
            load = stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds)
            messages.append((rig.messages() - sent - (sent - asked)) / len(load.latencies))
            log_bytes.append((_written(stage) - written) / len(load.latencies))
        stage.settle()
        memory = resident(stage.processes)
    ratios = [many / few for many, few in zip(rates[_MOST], rates[2], strict=True)]
    report.ratio("bind_64_vs_2", median(ratios), ratios)
    report.ratio("messages_per_bind", median(messages), messages)
    report.ratio("rss.push", sum(memory["push1"]))
    report.ratio("rss.bind", sum(memory["bind1"]))
    report.figure("PostgreSQL's write-ahead log, a bind", median(log_bytes) / 1024, "KB")
    base = median(rates[2])
    for count, found in rates.items():
        report.figure(f"binds, {count} nodes, 8 callers", median(found), "/s", base, "2 nodes /s")
        cost = median(sum(each.values()) for each in costs[count])
        report.figure(
            "  processor time of a bind",
            cost,
            "ms",
            median(sum(each.values()) for each in costs[2]),
            "2 nodes ms",
        )
        report.series.setdefault("binds_by_nodes", {})[str(count)] = round(median(found), 1)
        report.series.setdefault("cost_by_nodes", {})[str(count)] = {
            kind: round(median(cost[kind] for cost in costs[count]), 3) for kind in costs[count][0]
        }


def _written(stage: Stage) -> int:
    """Bytes of write-ahead log so far."""
    row = stage.sql.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    assert row is not None  # it always has one
    return int(row[0])
