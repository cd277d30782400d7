"""A node's row, held while its PBX is written: one writer a node, whatever the queues do; and what becomes of a node that fails."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from roost.database import Connection, Database, query
from roost.errors import Invalid, NodeRefused, NodeUnavailable
from roost.nodes.routes import Scope
from roost.pbx.kinds import kinds
from roost.pbx.node import Cursor, PbxNode

T = TypeVar("T")
#: The delay after the first failure; it doubles with each further one.
FIRST_RETRY = 0.2
#: Seconds after the first refusal, and at most: only somebody who acts can end it, and a change of the node is tried at once.
FIRST_REFUSED_RETRY = 60.0
REFUSED_RETRY_MAX = 900.0
#: Another worker goes on with an audit that gave no sign for so many seconds.
AUDIT_SILENCE = 30.0
#: Seconds that a send or an audit, once begun, waits for others who hold the row; and seconds between two looks.
PATIENCE = 10.0
_POLL = 0.02


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node as its row says; `secret` is sealed. `failure`: the code of the last error, None when the last push succeeded."""

    id: int
    name: str
    kind: str
    host: str
    port: int
    username: str
    secret: bytes
    options: dict[str, object]
    serves_all: bool
    resync: bool
    applied_version: int
    failures: int
    failing_since: datetime | None
    failure: str | None
    due: bool
    audit_due: bool
    has_refused: bool
    refused_due: bool
    lineage: str
    version: int

    @property
    def head(self) -> Cursor:
        """Where the database was when the row was taken."""
        return Cursor(self.lineage, self.version)

    @property
    def audited_often(self) -> bool:
        """Whether its kind asks for audits more often than others do, since they mend what its users see."""
        return kinds()[self.kind].audit_every is not None

    @property
    def scope(self) -> Scope:
        """What the node is told of."""
        return Scope(self.id, self.serves_all)


@dataclass(frozen=True, slots=True)
class PushFailed:
    """The push failed, and is tried again after the delay in the node's row. `begins`: the push before it did not fail in this way."""

    error: str
    code: str = ""
    begins: bool = False


class Nodes(Protocol):
    """Whoever keeps connections to nodes."""

    def open(self, row: NodeRow) -> PbxNode:
        """The connection for whoever holds the row: kept from before, or new. Raises NodeUnavailable, NodeRefused."""

    def aside(self, row: NodeRow) -> PbxNode:
        """A second connection, for a reader that does not hold the row and closes it afterwards. Raises NodeUnavailable, NodeRefused."""

    def drop(self, row: NodeRow) -> None:
        """The connection failed: close it, if there is one."""


def hold(
    database: Database,
    node_name: str,
    nodes: Nodes,
    retry_max: float,
    work: Callable[[Connection, NodeRow, PbxNode], T],
    *,
    now_please: bool = False,
    audit_every: float = 1e9,
) -> T | PushFailed | None:
    """Do some work with the node while its row is held. None: another worker holds the row, or the node is not due.

    The work should take about a second: PostgreSQL ends a transaction that idles, and whoever changes the node waits for it.
    """
    with database.connection() as connection, connection.transaction():
        rows = take(connection, [node_name], retry_max, now_please=now_please, audit_every=audit_every)
        if not rows:
            return None
        (row,) = rows
        try:
            return work(connection, row, nodes.open(row))
        except (NodeUnavailable, NodeRefused, Invalid) as error:
            return note_failure(connection, row, nodes, retry_max, error)


def take(
    connection: Connection,
    node_names: Sequence[str],
    retry_max: float,
    *,
    now_please: bool = False,
    audit_every: float = 1e9,
) -> list[NodeRow]:
    """Hold the rows of these nodes until the transaction ends; those that others hold, or that are not due, are left out."""
    taken = connection.cursor(row_factory=class_row(NodeRow))
    taken.execute(
        query("take_nodes"),
        {
            "nodes": list(node_names),
            "now_please": now_please,
            "audit_every": audit_every,
            "audit_often": Jsonb(
                {kind.name: kind.audit_every for kind in kinds().values() if kind.audit_every}
            ),
            "audit_silence": AUDIT_SILENCE,
            "longest_delay": longest_delay(retry_max),
        },
    )
    return taken.fetchall()


def note_failure(
    connection: Connection,
    row: NodeRow,
    nodes: Nodes,
    retry_max: float,
    error: NodeUnavailable | NodeRefused | Invalid,
) -> PushFailed:
    """Close the connection to a node whose row is held, and write down when it is tried again."""
    nodes.drop(row)
    connection.execute(
        query("mark_node_failed"),
        {
            "node_id": row.id,
            "error": str(error)[:500],
            "failure": error.code,
            "delay": _delay(row, error, retry_max),
        },
    )
    return PushFailed(str(error), error.code, begins=row.failure != error.code)


def mark_applied(connection: Connection, versions: Mapping[int, int]) -> int:
    """Note which version each node, by its id, is known to have; the newest that there is by now."""
    parameters = {"node_ids": list(versions), "versions": list(versions.values())}
    marked = connection.execute(query("mark_nodes_applied"), parameters).fetchall()
    return max(int(newest) for _, newest in marked)


def hold_soon(
    database: Database,
    node_name: str,
    nodes: Nodes,
    retry_max: float,
    work: Callable[[Connection, NodeRow, PbxNode], T],
) -> T | PushFailed | None:
    """Like `hold`, in the middle of a send or an audit: it waits for others, who hold the row for moments only."""
    ends = time.monotonic() + PATIENCE
    while True:
        done = hold(database, node_name, nodes, retry_max, work, now_please=True)
        if done is not None or time.monotonic() >= ends:
            return done
        time.sleep(_POLL)


def _delay(row: NodeRow, error: Exception, retry_max: float) -> float:
    if isinstance(error, NodeRefused):
        before = row.failures if row.failure == error.code else 0
        longest = min(REFUSED_RETRY_MAX, FIRST_REFUSED_RETRY * 2 ** min(before, 16))
    else:
        longest = min(retry_max, FIRST_RETRY * 2 ** min(row.failures, 16))
    return float(longest) * random.uniform(0.5, 1)


def longest_delay(retry_max: float) -> float:
    """Seconds for which a node that fails is left alone, at most."""
    return max(retry_max, REFUSED_RETRY_MAX)


def look_at(database: Database, node_name: str) -> NodeRow | None:
    """The node's row, not held; None: there is no such node, or it is disabled."""
    with database.connection() as connection:
        row = connection.cursor(row_factory=class_row(NodeRow)).execute(
            query("look_at_node"), {"node": node_name}
        )
        found = row.fetchone()
    return found if found is not None and found.due else None
