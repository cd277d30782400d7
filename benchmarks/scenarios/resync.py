"""A full send to one empty Asterisk, over a raw pipelined DBPut loop of as many keys to the same Asterisk."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.effort import Effort
from benchmarks.raw_ami import RawAmi
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from roost.database import Database
from roost.nodes.converge import Converged, converge
from roost.nodes.routes import everything
from roost.pbx.node import Gone, key_of
from roost.pbx.row_text import key, value
from tasks.nodes import NodeConnections


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """The push job as it is, but called here: it starts when it starts, and ends when the cursor is acknowledged.

    Each extension has a phone: 100,000 extensions are 200,000 keys.
    """
    ours: list[float] = []
    raw: list[float] = []
    counts = {"push": 0, "verify": 0, "center": 0, "beat": 0}
    with Stage(
        rig, "resync", extensions=effort.resync_extensions, asterisk=1, bind=0, counts=counts
    ) as stage:
        (node,) = stage.asterisk
        database = Database(stage.url, idle_limit=30, one_plan=True, bookkeeping=True)
        with database.connection() as connection:
            connection.execute("UPDATE pbx_node SET enabled = true WHERE name = %s", (node.name,))
            pairs = [(key(key_of(c)), value(c)) for c in everything(connection) if not isinstance(c, Gone)]
        for _ in range(effort.runs):
            _empty(node.name, stage)
            bare = RawAmi(stage.nodes[node.name])
            began = time.perf_counter()
            succeeded = bare.put_all(pairs)
            raw.append(time.perf_counter() - began)
            bare.close()
            assert succeeded == len(pairs), "every raw DBPut succeeded"
            _empty(node.name, stage)
            nodes = NodeConnections(stage.settings)
            began = time.perf_counter()
            result = converge(database, node.name, nodes, 1)
            ours.append(time.perf_counter() - began)
            nodes.close()
            assert isinstance(result, Converged), result
            assert result.sent == len(pairs), "every key was sent"
        database.close()
    ratios = [bare_seconds / seconds for bare_seconds, seconds in zip(raw, ours, strict=True)]
    report.ratio("resync_vs_dbput", median(ratios), ratios)
    report.figure(
        f"full send of {len(pairs):,} keys ({effort.resync_extensions:,} extensions)", len(pairs) / median(ours),
        "keys/s", len(pairs) / median(raw), "raw DBPut /s",
    )  # fmt: skip
    report.figure("  it takes", median(ours), "s", median(raw), "raw DBPut s")


def _empty(name: str, stage: Stage) -> None:
    """Both loops begin with a database without a key of theirs."""
    node = next(node for node in stage.asterisk if node.name == name)
    for family in ("bench", "roost"):
        node.database_clear(family)
