"""Bring one node to the truth: the whole push job. List and watch, with the cursor in the node.

The cursor is read from the PBX each time. A node that was restarted, restored, or lost its memory has an old
cursor or none, so it says by itself from where it must be sent; a late writer's old values came with its old cursor.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Protocol

from psycopg.rows import class_row

from roost.database import Connection, Database, query
from roost.errors import DatabaseUnavailable, Invalid, NodeRefused, NodeUnavailable
from roost.nodes.routes import BATCH, News, Scope, everything, news_since, pending_keys
from roost.pbx.node import Change, Cursor, Gone, PbxNode, key_of

#: The delay after the first failure; it doubles with each further one.
FIRST_RETRY = 0.2
#: Seconds that a push waits for the news that another is reading; a statement may take no longer.
ANOTHERS_READING = 15.0


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node as its row says; `secret` is sealed."""

    id: int
    name: str
    kind: str
    host: str
    port: int
    username: str
    secret: bytes
    serves_all: bool
    resync: bool
    applied_version: int
    failures: int
    due: bool
    audit_due: bool
    lineage: str
    version: int

    @property
    def head(self) -> Cursor:
        """Where the database was when the row was taken."""
        return Cursor(self.lineage, self.version)

    @property
    def scope(self) -> Scope:
        """What the node is told of."""
        return Scope(self.id, self.serves_all)


@dataclass(frozen=True, slots=True)
class Converged:
    """What a push did: the node's version now, how many routes it was sent, and whether an audit is due."""

    version: int
    sent: int
    audit_due: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class PushFailed:
    """The node did not take it; it is tried again after the delay in its row."""

    error: str


class Nodes(Protocol):
    """Whoever keeps connections to nodes."""

    def open(self, row: NodeRow) -> PbxNode:
        """A connection, from before or new. Raises NodeUnavailable, NodeRefused."""

    def drop(self, row: NodeRow) -> None:
        """The connection failed: close it, if there is one."""


def converge(
    database: Database, node_name: str, nodes: Nodes, retry_max: float, audit_every: float = 1e9
) -> Converged | PushFailed | None:
    """Send a node all that changed since its cursor. None: another holds it, or it is not due."""

    def push(connection: Connection, row: NodeRow, head: Cursor, node: PbxNode) -> Converged:
        cursor = node.cursor()
        sent = 0
        if row.resync or cursor is None or not head.follows(cursor):
            sent = _send(connection, node, _difference(database, node, row.scope), cursor or _NOWHERE)
            _apply(node, [], head)
            cursor = head
        while cursor.version < head.version:
            news = _told.news(connection, cursor, head, row.scope)
            cursor = Cursor(head.lineage, news.version)
            _apply(node, news.changes, cursor)
            sent += len(news.changes)
            if cursor.version < head.version:
                _stay_alive(connection)
        connection.execute(query("mark_node_applied"), {"node_id": row.id, "version": head.version})
        return Converged(head.version, sent, row.audit_due)

    return _with_node(database, node_name, nodes, retry_max, push, audit_every=audit_every)


def audit(
    database: Database, node_name: str, nodes: Nodes, retry_max: float
) -> Converged | PushFailed | None:
    """Compare the node's whole table with the truth, mend what differs, and record how much did.

    What the node was not told yet is not drift, and is left to `converge`.
    """

    def compare(connection: Connection, row: NodeRow, head: Cursor, node: PbxNode) -> Converged:
        cursor = node.cursor()
        if cursor is None or not head.follows(cursor):
            return Converged(row.applied_version, 0)
        changes = list(_difference(database, node, row.scope))
        pending = pending_keys(connection, cursor.version)
        drift = _send(connection, node, (c for c in changes if key_of(c) not in pending), cursor)
        connection.execute(query("mark_node_audited"), {"node_id": row.id, "drift": drift})
        return Converged(cursor.version, drift)

    return _with_node(database, node_name, nodes, retry_max, compare, now_please=True)


def _with_node(
    database: Database,
    node_name: str,
    nodes: Nodes,
    retry_max: float,
    work: Callable[[Connection, NodeRow, Cursor, PbxNode], Converged],
    *,
    now_please: bool = False,
    audit_every: float = 1e9,
) -> Converged | PushFailed | None:
    """Hold the node's row while its PBX is written: one writer a node, whatever the queues do."""
    with database.connection() as connection, connection.transaction():
        taken = connection.cursor(row_factory=class_row(NodeRow))
        taken.execute(
            query("take_node"), {"node": node_name, "now_please": now_please, "audit_every": audit_every}
        )
        row = taken.fetchone()
        if row is None or not row.due:
            return None
        try:
            return work(connection, row, row.head, nodes.open(row))
        except (NodeUnavailable, NodeRefused, Invalid) as error:
            nodes.drop(row)
            delay = min(retry_max, FIRST_RETRY * 2 ** min(row.failures, 16)) * random.uniform(0.5, 1)
            connection.execute(
                query("mark_node_failed"), {"node_id": row.id, "error": str(error)[:500], "delay": delay}
            )
            return PushFailed(str(error))


#: Put into a node that had no cursor, until it has everything: it is of no lineage.
_NOWHERE = Cursor("nowhere", 0)


class _Told:
    """The last news, by lineage, from and to: nodes that keep pace with each other are told the same, which is read once.

    `kept` of them, with no more than `changes` in all: who is far behind is told much, once.
    """

    def __init__(self, kept: int, changes: int) -> None:
        self._kept = kept
        self._changes = changes
        self._news: dict[tuple[str, int, int, Scope | None], Future[News]] = {}
        self._lock = Lock()

    def news(self, connection: Connection, cursor: Cursor, head: Cursor, scope: Scope) -> News:
        """What a node at this cursor must be told; who comes while another reads it waits for that."""
        key = (head.lineage, cursor.version, head.version, None if scope.serves_all else scope)
        with self._lock:
            coming = self._news.get(key)
            if coming is None:
                self._forget()
                mine = self._news[key] = Future()
        if coming is not None:
            try:
                return coming.result(ANOTHERS_READING)
            except TimeoutError:
                raise DatabaseUnavailable("The news are still being read.") from None
        try:
            mine.set_result(news_since(connection, cursor.version, head.version, scope))
        except BaseException as error:
            with self._lock:
                self._news.pop(key, None)
            mine.set_exception(DatabaseUnavailable(f"The news could not be read: {type(error).__name__}."))
            raise
        return mine.result()

    def _forget(self) -> None:
        """Make place for another one."""
        changes = 0
        for place, (key, news) in enumerate(reversed(list(self._news.items())), 2):
            changes += len(news.result().changes) if news.done() else 0
            if place > self._kept or changes > self._changes:
                del self._news[key]


_told = _Told(kept=8, changes=BATCH)


def _difference(database: Database, node: PbxNode, scope: Scope) -> Iterator[Change]:
    """What must be written so that the node has exactly the truth."""
    has = node.dump()
    with database.connection() as reader, reader.transaction():
        for change in everything(reader, scope, stream=True):
            if not has or has.pop(key_of(change), None) != change:
                yield change
    yield from (Gone(kind, key) for kind, key in has)


def _send(connection: Connection, node: PbxNode, changes: Iterable[Change], before: Cursor) -> int:
    """Write the changes, a batch at a time; how many they were.

    With each batch goes the cursor from before: if we were frozen, and others brought the node further meanwhile,
    our old values put the old cursor back too, and are found by it.
    """
    sent = 0
    rest = iter(changes)
    for batch in _ahead(lambda: list(islice(rest, BATCH))):
        _apply(node, batch, before)
        sent += len(batch)
        _stay_alive(connection)
    return sent


def _apply(node: PbxNode, changes: list[Change], cursor: Cursor) -> None:
    for refused in node.apply(changes, cursor):
        raise Invalid(f"{'/'.join(refused.key)}: {refused.reason}")


def _ahead(make: Callable[[], list[Change]]) -> Iterator[list[Change]]:
    """What `make` makes until it makes nothing, each while the one before is used: PostgreSQL is read while a node writes."""
    with ThreadPoolExecutor(1, "ahead") as maker:
        coming = maker.submit(make)
        while made := coming.result():
            coming = maker.submit(make)
            yield made


def _stay_alive(connection: Connection) -> None:
    """Tell PostgreSQL, which ends transactions that look dead, that a long job goes on."""
    connection.execute("SELECT 1").fetchone()
