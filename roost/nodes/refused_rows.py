"""Rows that a node cannot hold: each is written down, holds up nothing but itself, and is tried again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from roost.database import Connection, Database, query
from roost.nodes.routes import key_text, read_key
from roost.pbx.node import Change, Cursor, Key, PbxNode, RefusedRow, key_of

#: Refused rows that are tried again at a time: some kinds take it for the node's fault, and not the rows', when a hundred fail together, and
#: a row may be two keys there.
TRIED_AGAIN = 50


@dataclass(frozen=True, slots=True)
class RefusedRowRecord:
    """A row that a node could not hold when it was last tried. `key`: `e/<organization>*<number>` or `p/<phone>`."""

    node: str
    key: str
    reason: str
    since: datetime


def noted(connection: Connection, node_id: int, changes: Iterable[Change]) -> set[Key]:
    """The keys of these that the node refused before."""
    parameters = {"node_id": node_id, "keys": [_storable(key_text(key_of(change))) for change in changes]}
    return {read_key(key) for (key,) in connection.execute(query("list_noted_rows"), parameters)}


def apply(
    node: PbxNode, changes: Sequence[Change], cursor: Cursor | None, refused_before: AbstractSet[Key]
) -> list[RefusedRow]:
    """Write the changes, and the cursor last. What was refused before goes first, some at a time: so many at once would be the node's fault."""
    if not refused_before:
        return node.apply(changes, cursor)
    again = [change for change in changes if key_of(change) in refused_before]
    refused: list[RefusedRow] = []
    for place in range(0, len(again), TRIED_AGAIN):
        refused += node.apply(again[place : place + TRIED_AGAIN], None)
    return refused + node.apply(
        [change for change in changes if key_of(change) not in refused_before], cursor
    )


def note(connection: Connection, node_id: int, sent: Iterable[Change], refused: list[RefusedRow]) -> None:
    """Write down what a node refused of what it was sent, and forget what it took now."""
    reasons = {_storable(key_text(row.key)): row.reason[:500] for row in refused}
    taken = [text for change in sent if (text := _storable(key_text(key_of(change)))) not in reasons]
    connection.execute(query("forget_refused_rows"), {"node_id": node_id, "keys": taken})
    if reasons:
        connection.execute(
            query("note_refused_rows"),
            {"node_id": node_id, "keys": list(reasons), "reasons": list(reasons.values())},
        )


def take_due(connection: Connection, node_id: int, most: int) -> list[Key]:
    """Some of the rows to be tried again now, because somebody has changed the node since. They are due no more, whatever becomes of them."""
    rows = connection.execute(query("take_due_rows"), {"node_id": node_id, "most": most})
    return [read_key(key) for (key,) in rows]


def list_refused_rows(database: Database, node: str | None = None, limit: int = 20) -> list[RefusedRowRecord]:
    """What the nodes, or one, cannot hold now, the oldest first."""
    with database.connection() as connection:
        rows = connection.cursor(row_factory=class_row(RefusedRowRecord))
        return rows.execute(query("list_refused_rows"), {"node": node, "limit": limit}).fetchall()


def _storable(key: str) -> str:
    """A key as PostgreSQL can store it: bytes that are not UTF-8 (surrogates here) and NULs become question marks."""
    return key.encode("utf-8", "replace").decode().replace("\0", "?")
