"""What a node that was away is sent when it comes back: each route once, however often it changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from roost.database import Database
from roost.nodes.converge import Converged, converge
from roost.nodes.holding import NodeRow
from roost.nodes.routes import announce
from roost.pbx.node import Change, Cursor, Key, PbxNode, RefusedRow, Rings
from tasks.nodes import NodeConnections

_EXTENSIONS = 1_000


class _Counting:
    """A connection that counts the extensions and phones it is told of."""

    def __init__(self, node: PbxNode, counts: dict[str, int]) -> None:
        self._node = node
        self._counts = counts

    def cursor(self) -> Cursor | None:
        return self._node.cursor()

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        for change in changes:
            self._counts["extensions" if isinstance(change, Rings) else "others"] += 1
        return self._node.apply(changes, cursor)

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        return self._node.read(keys)

    def keys(self, about: int) -> Iterator[list[Key]]:
        return self._node.keys(about)

    def dump(self) -> dict[Key, Change | None]:
        return self._node.dump()

    def health(self) -> str:
        return self._node.health()

    def close(self) -> None:
        self._node.close()


class _CountingNodes:
    def __init__(self, nodes: NodeConnections) -> None:
        self._nodes = nodes
        self.counts = {"extensions": 0, "others": 0}

    def open(self, row: NodeRow) -> PbxNode:
        return _Counting(self._nodes.open(row), self.counts)

    def aside(self, row: NodeRow) -> PbxNode:
        return _Counting(self._nodes.aside(row), self.counts)

    def drop(self, row: NodeRow) -> None:
        self._nodes.drop(row)


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Every extension moves to another phone, in rounds, and each round is numbered; then the node is told."""
    counts = {"push": 0, "verify": 0, "center": 0, "beat": 0}
    rounds = effort.missed_moves // _EXTENSIONS
    with Stage(rig, "catch_up", extensions=_EXTENSIONS, simulated=1, bind=0, counts=counts) as stage:
        database = Database(stage.url, idle_limit=30)
        connections = NodeConnections(stage.settings)
        stage.sql.execute("UPDATE pbx_node SET enabled = true WHERE name = 's000'")
        assert isinstance(converge(database, "s000", connections, 1), Converged)
        for shift in range(1, rounds + 1):
            _move_everyone(stage, shift)
            while announce(database).more:
                pass
        nodes = _CountingNodes(connections)
        result: Any = converge(database, "s000", nodes, 1)
        assert isinstance(result, Converged), result
        connections.close()
        database.close()
    report.ratio("catch_up", nodes.counts["extensions"])
    report.figure(f"phones told of after {rounds * _EXTENSIONS:,} moves", nodes.counts["others"], "")


def _move_everyone(stage: Stage, shift: int) -> None:
    """Extension n sits down at the phone of extension n - shift; first all go home, as nobody can sit on two."""
    with stage.sql.transaction():
        stage.sql.execute("UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE guest_id IS NOT NULL")
        stage.sql.execute(_MOVE, {"shift": shift % (_EXTENSIONS - 1) + 1})


_MOVE = """
WITH place AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS of FROM extension)
UPDATE phone SET guest_id = guest.id, guest_since = clock_timestamp()
FROM place base JOIN place guest ON guest.n = (base.n + %(shift)s) %% base.of
WHERE phone.base_id = base.id
"""
