"""Compare a node's whole table with the database, piece by piece, while moves go on.

A piece is read from the node and from the database without holding the node's row. A key that differs is only a suspect, since a move may have
happened between the two readings. Suspects are read once more; those that still differ are read a third time with the row held, when nobody else
writes to the node, and are mended then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from roost.database import Connection, Database, query
from roost.nodes import refused_rows
from roost.nodes.holding import AUDIT_SILENCE, NodeRow, Nodes, PushFailed, hold_soon, look_at
from roost.nodes.routes import Piece, count_held, count_keys, pending_keys, read_head, read_piece, tell
from roost.pbx.node import Change, Cursor, Gone, Key, Kind, PbxNode, key_of

#: Keys compared at a time: a move waits for a piece at most, and kinds that list a whole family for many keys (more than 256) still do.
PIECE = 300
#: Keys that an audit keeps in mind, as those that the database has: 16 MB.
MOST_KNOWN = 250_000


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit was finished. `drift` is how many rows it mended, those before an interruption included."""

    drift: int


@dataclass(frozen=True, slots=True)
class _Audit:
    """An audit as it was taken over: when it began, which tells one run from another, and where to go on."""

    began_at: datetime
    stage: str
    after_id: int


class _Stopped(Exception):
    """The audit cannot go on; `failed` says why, when the node is at fault."""

    def __init__(self, failed: PushFailed | None = None) -> None:
        super().__init__()
        self.failed = failed


def audit(
    database: Database,
    node_name: str,
    nodes: Nodes,
    retry_max: float,
    rest: Callable[[float], object] = lambda _took: None,
    push: Callable[[], object] = lambda: None,
) -> Audited | PushFailed | None:
    """Compare the node's whole table, mend what differs, and record how much did. It goes on where an interrupted audit ended.

    None: another worker audits the node, or a push must come first. What the node was not told yet is no drift,
    and is left to `converge`. `rest` is called after each piece, with the seconds that it took. `push` is called each time after the row was
    held: a push that came meanwhile found the row taken and left, and the next one would come only with the sweep.
    Raises NodeUnavailable, NodeRefused.
    """
    row = look_at(database, node_name)
    if row is None:
        return None
    node = nodes.aside(row)
    try:
        cursor = node.cursor()
        if cursor is None or not row.head.follows(cursor):
            return None
        with database.connection() as connection:
            total, held = count_keys(connection, row.scope), count_held(connection)
            # First the keys that the node must have are compared, then those that it has.
            parameters = {"node_id": row.id, "total": 2 * total, "silence": AUDIT_SILENCE}
            taken = connection.execute(query("take_audit"), parameters).fetchone()
        if taken is None:
            return None
        return _Run(database, row, nodes, node, retry_max, rest, push, taken[0]).run(_Audit(*taken), held)
    finally:
        node.close()


@dataclass(frozen=True, slots=True)
class _Run:
    database: Database
    row: NodeRow
    nodes: Nodes
    node: PbxNode
    retry_max: float
    rest: Callable[[float], object]
    push: Callable[[], object]
    began_at: datetime
    #: What was compared: when the node lists it afterwards, PostgreSQL need not be asked whether it is a stranger. Kept is a hash of each, of
    #: 64 bits and salted by the process, in half of the memory: a stranger that happens to have one of them is found by another audit.
    known: set[int] = field(default_factory=set)

    def run(self, at: _Audit, held: int) -> Audited | PushFailed | None:
        try:
            if at.stage == "e":
                self._compare("e", at.after_id)
            if at.stage in {"e", "p"}:
                self._compare("p", at.after_id if at.stage == "p" else 0)
            began = time.monotonic()
            for page in self.node.keys(held):
                # A page without keys took the node's time too: many of them in a row, without a rest, would keep moves waiting.
                for place in range(0, len(page) or 1, PIECE):
                    piece = page[place : place + PIECE]
                    unknown = [key for key in piece if hash(key) not in self.known]
                    strangers = [key_of(c) for c in self._tell(unknown) if isinstance(c, Gone)]
                    self._note("strangers", 0, len(piece), self._judge(strangers), began)
                    began = time.monotonic()
        except _Stopped as stopped:
            self._execute("leave_audit", {})
            return stopped.failed
        except BaseException:
            self._execute("leave_audit", {})
            raise
        ended = self.database.transaction(
            lambda connection: connection.execute(query("mark_node_audited"), self._whose()).fetchone()
        )
        return Audited(ended[0]) if ended else None

    def _compare(self, kind: Kind, after: int) -> None:
        while (piece := self._piece(kind, after)) is not None:
            began = time.monotonic()
            keys = [key_of(change) for change in piece.changes]
            if len(self.known) < MOST_KNOWN:
                self.known.update(map(hash, keys))
            has = self.node.read(keys)
            suspects = [key for key, c in zip(keys, piece.changes, strict=True) if has.get(key) != c]
            after = piece.last
            self._note(kind, after, len(piece.changes), self._judge(suspects), began)
        self._note("p" if kind == "e" else "strangers", 0, 0, 0, time.monotonic())

    def _piece(self, kind: Kind, after: int) -> Piece | None:
        with self.database.connection() as connection:
            return read_piece(connection, self.row.scope, kind, after, PIECE)

    def _tell(self, keys: Sequence[Key]) -> list[Change]:
        if not keys:
            return []
        with self.database.connection() as connection:
            return tell(connection, keys, self.row.scope)

    def _judge(self, suspects: list[Key]) -> int:
        """Read the suspects again, and those that still differ with the row held; how many were mended. What the node was not told yet is left."""
        if suspects:
            with self.database.connection() as connection:
                suspects = [
                    key_of(change) for change in self._wrong(connection, self.row, self.node, suspects)[1]
                ]
        if not suspects:
            return 0

        def work(connection: Connection, row: NodeRow, node: PbxNode) -> int:
            cursor, mend = self._wrong(connection, row, node, suspects)
            before = refused_rows.noted(connection, row.id, mend) if row.has_refused else set()
            refused = refused_rows.apply(node, mend, cursor, before)
            refused_rows.note(connection, row.id, mend, refused)
            return len(mend) - len(refused)

        mended = hold_soon(self.database, self.row.name, self.nodes, self.retry_max, work)
        self.push()
        if not isinstance(mended, int):
            raise _Stopped(mended)
        return mended

    @staticmethod
    def _wrong(
        connection: Connection, row: NodeRow, node: PbxNode, suspects: list[Key]
    ) -> tuple[Cursor, list[Change]]:
        """The node's cursor, and the changes that it was told and does not have."""
        cursor = node.cursor()
        if cursor is None or not read_head(connection).follows(cursor):
            raise _Stopped
        pending = pending_keys(connection, cursor.version, suspects)
        has = node.read(suspects)
        return cursor, [
            change
            for key, change in zip(suspects, tell(connection, suspects, row.scope), strict=True)
            if key not in pending and (key in has if isinstance(change, Gone) else has.get(key) != change)
        ]

    def _note(self, stage: str, after: int, keys: int, drift: int, began: float) -> None:
        parameters = {"stage": stage, "after": after, "keys": keys, "drift": drift}
        if not self._execute("note_audit", parameters):
            raise _Stopped
        self.rest(time.monotonic() - began)

    def _execute(self, statement: str, parameters: dict[str, object]) -> bool:
        with self.database.connection() as connection:
            return connection.execute(query(statement), self._whose() | parameters).rowcount > 0

    def _whose(self) -> dict[str, object]:
        return {"node_id": self.row.id, "began_at": self.began_at}
