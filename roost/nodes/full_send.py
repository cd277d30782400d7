"""A whole table, sent in pieces to a node whose cursor says nothing of this database.

A mark says how far the send is. It is kept in the node itself, in the place of its cursor: a node that restarts in the middle loses the mark
together with the rows that it speaks of. The mark names the version at which the send began; what changed since then is sent afterwards.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from roost.database import Connection, Database, query
from roost.errors import NodeRefused, NodeUnavailable
from roost.nodes import refused_rows
from roost.nodes.holding import NodeRow, Nodes, PushFailed, hold_soon, look_at
from roost.nodes.routes import BATCH, Piece, count_held, count_keys, read_piece, tell
from roost.pbx.node import Change, Cursor, Gone, Kind, PbxNode, key_of

Stage = Literal["list", "e", "p"]
#: Seconds that a node's row is held for pieces of a send, about.
HOLD_FOR = 1.0
#: Rows of the first piece while the row is held, for which the node waits; each next one is twice as large, up to BATCH.
_FIRST = 300
_MARK = re.compile(r"sending/([^/]+)/([0-9]{1,19})/(list|e|p)/(blank|filled)")


@dataclass(frozen=True, slots=True)
class Sending:
    """A send that began at `start`. First what the node holds is listed, then come extensions, then phones.

    `blank`: the node held nothing when it began, so what is sent need not be compared.
    """

    start: Cursor
    stage: Stage = "list"
    blank: bool = False

    def mark(self, after: int = 0) -> Cursor:
        """What is written as the node's cursor once it has the rows up to this id."""
        filled = "blank" if self.blank else "filled"
        return Cursor(f"sending/{self.start.lineage}/{self.start.version}/{self.stage}/{filled}", after)

    @classmethod
    def of(cls, cursor: Cursor | None) -> Sending | None:
        """Read a mark; None for another cursor."""
        found = _MARK.fullmatch(cursor.lineage) if cursor else None
        if found is None:
            return None
        stage: Stage = "list" if found[3] == "list" else "e" if found[3] == "e" else "p"
        return cls(Cursor(found[1], int(found[2])), stage, blank=found[4] == "blank")


def begin(connection: Connection, row: NodeRow, node: PbxNode) -> Sending:
    """Begin a send: write its mark in the place of the node's cursor."""
    sending = Sending(row.head)
    node.apply([], sending.mark())
    parameters = {"node_id": row.id, "keys": None, "total": count_keys(connection, row.scope)}
    connection.execute(query("mark_node_sending"), parameters)
    return sending


def clear_strangers(
    database: Database, node_name: str, nodes: Nodes, retry_max: float, sending: Sending
) -> int | PushFailed | None:
    """Delete the keys that the database does not have; how many they were. The node is listed without holding its row.

    None: others hold the row. If another worker went on with the send meanwhile, nothing is done.
    """
    row = look_at(database, node_name)
    if row is None:
        return None

    def delete(strangers: Sequence[Change]) -> int | PushFailed | None:
        def work(connection: Connection, row: NodeRow, node: PbxNode) -> int:
            if node.cursor() != sending.mark():
                return 0
            gone = [
                c for c in tell(connection, [key_of(c) for c in strangers], row.scope) if isinstance(c, Gone)
            ]
            refused_rows.note(connection, row.id, gone, node.apply(gone, sending.mark()))
            return len(gone)

        return hold_soon(database, node_name, nodes, retry_max, work)

    node = nodes.aside(row)
    try:
        with database.connection() as connection:
            held, gone, found = count_held(connection), 0, False
        for page in node.keys(held):
            found = found or bool(page)
            for place in range(0, len(page), BATCH):
                with database.connection() as connection:
                    told = tell(connection, page[place : place + BATCH], row.scope)
                strangers = [change for change in told if isinstance(change, Gone)]
                deleted = delete(strangers) if strangers else 0
                if not isinstance(deleted, int):
                    return deleted
                gone += deleted
    finally:
        node.close()

    def go_on(_connection: Connection, _row: NodeRow, node: PbxNode) -> int:
        if node.cursor() == sending.mark():
            node.apply([], replace(sending, stage="e", blank=not found).mark())
        return gone

    return hold_soon(database, node_name, nodes, retry_max, go_on)


def send_pieces(
    connection: Connection, row: NodeRow, node: PbxNode, sending: Sending, after: int
) -> tuple[int, int]:
    """Send the rows after this id, for about a second. Returns how many rows differed, and how many of those the node refused.

    After the last row the node gets its cursor, and the send is over. How far it is, is noted once, since nobody sees it before the row is given
    back; also when the node fails on the way.
    """
    done = sent = refused = 0
    try:
        for taken in _sent_pieces(connection, row, node, sending, after):
            done += taken.rows
            sent += taken.sent
            refused += taken.refused
    except (NodeUnavailable, NodeRefused):
        if done:
            _note(connection, row, done)
        raise
    _note(connection, row, done)
    return sent, refused


@dataclass(frozen=True, slots=True)
class _Taken:
    """A piece that the node has: its rows, how many of them differed, and how many of those the node refused."""

    rows: int
    sent: int
    refused: int


def _sent_pieces(
    connection: Connection, row: NodeRow, node: PbxNode, sending: Sending, after: int
) -> Iterator[_Taken]:
    """Each piece that was sent. While the node takes one, a thread reads the next."""
    ends = time.monotonic() + HOLD_FOR
    pieces = _pieces(connection, row, sending, after)
    with ThreadPoolExecutor(1, "next-piece") as reader:
        found = next(pieces)
        while found is not None:
            sending, piece = found
            before = refused_rows.noted(connection, row.id, piece.changes) if row.has_refused else set()
            following = reader.submit(next, pieces) if time.monotonic() < ends else None
            changes = piece.changes
            if not sending.blank:
                has = node.read([key_of(change) for change in changes])
                changes = [change for change in changes if has.get(key_of(change)) != change]
            not_taken = refused_rows.apply(node, changes, sending.mark(piece.last), before)
            # Before the connection is used here: a statement that failed spoils the transaction for the next.
            found = following.result() if following else None
            if not_taken or row.has_refused:
                refused_rows.note(connection, row.id, changes, not_taken)
            yield _Taken(len(piece.changes), len(changes), len(not_taken))
            if following is None:
                return
    node.apply([], sending.start)


def _note(connection: Connection, row: NodeRow, keys: int) -> None:
    connection.execute(query("mark_node_sending"), {"node_id": row.id, "keys": keys, "total": None})


def _pieces(
    connection: Connection, row: NodeRow, sending: Sending, after: int
) -> Iterator[tuple[Sending, Piece] | None]:
    """Each piece after this id, and how far the send is with it; at last None."""
    stages: tuple[Kind, ...] = ("p",) if sending.stage == "p" else ("e", "p")
    rows = _FIRST
    for stage in stages:
        while piece := read_piece(connection, row.scope, stage, after, rows):
            yield replace(sending, stage=stage), piece
            after = piece.last
            rows = min(2 * rows, BATCH)
        after = 0
    yield None
