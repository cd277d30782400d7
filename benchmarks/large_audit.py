"""Three nodes that hold every key of a large organization are sent it, and audited, while people move: how late moves come, and what it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from benchmarks.load import at_quantile
from benchmarks.paced import paced_binds
from benchmarks.report import Report
from benchmarks.stage import Stage, wait_until
from benchmarks.usage import resident
from benchmarks.watch import Watcher
from roost.database import Database
from roost.nodes.status import cluster_status, is_audited, request_audit
from tasks.client import Client

#: Moves a second.
PACE = 20
#: Seconds of moves that are started together; the end of an audit is looked for in between.
_CHUNK = 2.0
#: Seconds that a full send to all three, or an audit of them, may take.
_DEADLINE = 900.0


def measure(stage: Stage, seconds: float, report: Report) -> None:
    """Moves without an audit, for `seconds`, are what moves during one are compared with; before it, and after."""
    with (
        closing(Database(stage.url, size=1)) as database,
        Client(stage.settings) as client,
        Watcher(stage.nodes) as watcher,
        _most_resident(stage) as memory,
    ):
        began = time.perf_counter()
        stage.sql.execute("UPDATE pbx_node SET enabled = true WHERE name = ANY (%s)", (list(stage.nodes),))
        stage.settle(_DEADLINE)
        sent = time.perf_counter() - began
        keys = _keys(stage)

        def move(until: Callable[[], bool]) -> list[float]:
            took: list[float] = []
            while not until():
                moves = paced_binds(
                    client, stage.settings, watcher, movers=stage.own_movers, per_second=PACE, seconds=_CHUNK
                )
                took += moves.applied
            return took

        move(_after(_CHUNK))  # warm
        without = move(_after(seconds))
        asked = request_audit(database)
        began = time.perf_counter()

        def audited() -> bool:
            if time.perf_counter() - began > _DEADLINE:
                raise TimeoutError("the audits did not come to their end")
            return all(
                is_audited(node, asked) for node in cluster_status(database).nodes if node.name in asked
            )

        beside = sorted(move(audited))
        took = time.perf_counter() - began
        without = sorted(without + move(_after(seconds)))
        drift = sum(node.drift for node in cluster_status(database).nodes)
    if drift:
        raise RuntimeError(f"audits found {drift} rows that differ, and nobody had changed any")
    report.ratio("audit_beside_moves", at_quantile(beside, 0.99) / at_quantile(without, 0.99))
    report.ratio("rss_push_large", max(memory))
    nodes = len(stage.nodes)
    report.figure(f"first send of {keys:,} keys to {nodes} nodes", keys / sent, "keys/s")
    report.figure(f"audit of {keys:,} keys on {nodes} nodes beside {PACE} moves a second", took, "s")
    for part, quantile in (("p50", 0.5), ("p99", 0.99)):
        report.figure(
            f"  a move to applied on {nodes}, {part}", at_quantile(beside, quantile), "ms",
            at_quantile(without, quantile), "no audit ms",
        )  # fmt: skip


def _keys(stage: Stage) -> int:
    row = stage.sql.execute("SELECT count(*) FROM route").fetchone()
    assert row is not None  # it counts
    return int(row[0]) * len(stage.nodes)


def _after(seconds: float) -> Callable[[], bool]:
    ends = time.perf_counter() + seconds
    return lambda: time.perf_counter() >= ends


@contextmanager
def _most_resident(stage: Stage) -> Iterator[list[float]]:
    """Megabytes of the push worker, some times a second."""
    pids = {"push": stage.processes["push1"]}
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            seen.append(sum(resident(pids)["push"]))

    thread = threading.Thread(target=look, name="memory")
    thread.start()
    try:
        wait_until(lambda: bool(seen), "the push worker's memory is known", 10)
        yield seen
    finally:
        over.set()
        thread.join()
