"""Bring one node up to date: the whole push job.

The cursor is read from the PBX each time. A node that was restarted, restored, or lost its memory has an old cursor or none, so it says
by itself from where on it must be sent changes. A worker that writes old values late also writes its old cursor, so they are sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from roost.database import Connection, Database
from roost.errors import NodeRefused, NodeUnavailable
from roost.nodes import full_send, refused_rows
from roost.nodes.full_send import Sending
from roost.nodes.holding import NodeRow, Nodes, PushFailed, hold, hold_soon, mark_applied
from roost.nodes.routes import tell
from roost.nodes.shared_news import SharedNews
from roost.pbx.node import Change, Cursor, PbxNode, RefusedRow

log = structlog.get_logger(__name__)

_LOSES_CURSOR = "It loses its cursor as soon as it is written: does another Roost push to it too, or somebody else write there?"
#: Sends of a whole table that one push begins, or goes on with from where it did before, at most: a node that restarts in the middle of one makes
#: it begin another.
MOST_SENDS = 5


@dataclass(frozen=True, slots=True)
class Converged:
    """What a push did: the node's version now, how many routes it was sent, and whether an audit is due (`often`: as its kind asks for them).

    `failed_before`: how many pushes before this one failed in a row. `refused`: rows of these that the node cannot hold.
    """

    version: int
    sent: int
    audit_due: bool = field(default=False, compare=False)
    failed_before: int = field(default=0, compare=False)
    refused: int = field(default=0, compare=False)
    often: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Step:
    """What was done while the row was held once. `level`: the node has everything that the database had when the row was taken.

    `overtaken`: the database has more by now, and whoever was woken for it may have found the row taken, and left.
    `mark`: where a send went on.
    """

    row: NodeRow
    sent: int = 0
    refused: int = 0
    level: bool = False
    overtaken: bool = False
    listing: Sending | None = None
    mark: Cursor | None = None


def converge(
    database: Database,
    node_name: str,
    nodes: Nodes,
    retry_max: float,
    audit_every: float = 1e9,
    news: SharedNews | None = None,
    taken: Callable[[Sequence[Change]], None] | None = None,
) -> Converged | PushFailed | None:
    """Send a node all that changed since its cursor. None: another worker holds the node's row, or the node is not due.

    The row is held for one batch of changes, or for about a second of a full send, and then taken again. `taken` hears of
    news that the node took. What was numbered meanwhile is sent in one more turn; who is woken later than that does the rest.
    A node that loses its cursor again and again, because another database is pushed to it too for instance, has failed.
    """
    shared = news or SharedNews()
    sent, refused, failed_before, sends = 0, 0, 0, 0
    found: Converged | None = None
    mark: Cursor | None = None

    def work(connection: Connection, row: NodeRow, node: PbxNode) -> _Step:
        return _step(connection, row, node, shared, taken or _nobody)

    step: _Step | PushFailed | None = None
    while True:
        if step is None or found is not None:
            step = hold(database, node_name, nodes, retry_max, work, audit_every=audit_every)
        else:
            step = hold_soon(database, node_name, nodes, retry_max, work)
        if not isinstance(step, _Step):
            return step or found
        sent += step.sent
        refused += step.refused
        failed_before = failed_before or step.row.failures
        if step.level:
            before, found = (
                found,
                Converged(
                    step.row.version, sent, step.row.audit_due, failed_before, refused, step.row.audited_often
                ),
            )
            if before is not None or not step.overtaken:
                return found
        # A piece that was taken has moved the mark, unless it is lost, or written back.
        sends += step.listing is not None or (step.mark is not None and step.mark == mark)
        mark = step.mark
        if sends > MOST_SENDS:
            return fail(database, node_name, nodes, retry_max, NodeRefused(_LOSES_CURSOR))
        if step.listing is not None:
            try:
                cleared = full_send.clear_strangers(database, node_name, nodes, retry_max, step.listing)
            except (NodeUnavailable, NodeRefused) as error:
                return fail(database, node_name, nodes, retry_max, error)
            if not isinstance(cleared, int):
                return cleared
            sent += cleared


def fail(
    database: Database, node_name: str, nodes: Nodes, retry_max: float, error: NodeUnavailable | NodeRefused
) -> PushFailed | None:
    """Note a failure that happened while the node's row was not held."""

    def work(_connection: Connection, _row: NodeRow, _node: PbxNode) -> None:
        raise error

    return hold(database, node_name, nodes, retry_max, work)


def _nobody(_changes: Sequence[Change]) -> None:
    """Nobody hears of it."""


def _step(
    connection: Connection,
    row: NodeRow,
    node: PbxNode,
    news: SharedNews,
    taken: Callable[[Sequence[Change]], None],
) -> _Step:
    cursor = node.cursor()
    sending = Sending.of(cursor)
    known = sending.start if sending else cursor
    if known is not None and known.lineage != row.lineage:
        # Once a node after a failover or a restore. Again and again: two databases are pushed to it, by turns, and none of them fails.
        log.warning("node_of_another_database", node=row.name)
    if row.resync or cursor is None or known is None or not row.head.follows(known):
        return _Step(row, listing=full_send.begin(connection, row, node))
    if sending is not None and sending.stage == "list":
        return _Step(row, listing=sending)
    if sending is not None:
        return _Step(row, *full_send.send_pieces(connection, row, node, sending, cursor.version), mark=cursor)
    sent = 0
    refused: list[RefusedRow] = []
    if cursor.version < row.version:
        told = news.since(connection, cursor, row.head, row.scope)
        cursor = Cursor(row.lineage, told.version)
        before = refused_rows.noted(connection, row.id, told.changes) if row.has_refused else set()
        refused = refused_rows.apply(node, told.changes, cursor, before)
        taken(told.changes)
        if refused or row.has_refused:
            refused_rows.note(connection, row.id, told.changes, refused)
        sent = len(told.changes)
    # After the news, which get through whatever becomes of these.
    more_due = False
    if row.refused_due:
        taken_again, more_due = _try_refused_again(connection, row, node, cursor)
        sent += taken_again
    newest = mark_applied(connection, {row.id: cursor.version})
    level = cursor.version >= row.version and not more_due
    return _Step(row, sent, len(refused), level, newest > cursor.version)


def _try_refused_again(
    connection: Connection, row: NodeRow, node: PbxNode, cursor: Cursor
) -> tuple[int, bool]:
    """Try some of the rows that are due; how many the node took, and whether more may be due."""
    due = refused_rows.take_due(connection, row.id, refused_rows.TRIED_AGAIN)
    changes = tell(connection, due, row.scope)
    refused = node.apply(changes, cursor)
    refused_rows.note(connection, row.id, changes, refused)
    return len(changes) - len(refused), len(due) == refused_rows.TRIED_AGAIN
