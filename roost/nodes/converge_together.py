"""Nodes that keep pace, brought up to date together: their rows are taken by one statement, and marked by one.

Of what a push costs, little is the writing; the rest is the same for one node and for sixteen. It goes no further than what is usual: a node
that is not where it was noted to be, that failed before, or that does not answer soon is left to a push of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from roost.database import Connection, Database
from roost.errors import DatabaseUnavailable, Invalid, NodeRefused, NodeUnavailable
from roost.nodes import fence, refused_rows
from roost.nodes.converge import Converged
from roost.nodes.holding import NodeRow, Nodes, PushFailed, mark_applied, note_failure, take
from roost.nodes.routes import News
from roost.nodes.shared_news import SharedNews
from roost.pbx.node import Change, Cursor, RefusedRow

log = structlog.get_logger(__name__)

#: Seconds.
PATIENCE = 0.1
#: Versions that a node may lack: as many rows are read and written while the rows of all are held, in less time than that.
MOST_BEHIND = 500
#: What a node may raise.
_EXPECTED = (NodeUnavailable, NodeRefused, Invalid)


@dataclass(frozen=True, slots=True)
class Write:
    """What a node is told. The result is what it refused; None: it is not where it was noted to be, and was told nothing.

    `fenced_until`: until when others find the node's row held; None: there is no fence around it.
    """

    row: NodeRow
    told: News
    result: Future[list[RefusedRow] | None]
    fenced_until: datetime | None = None


@dataclass(slots=True)
class Together:
    """What became of nodes that were pushed to together.

    `late` are still written, or failed in a way that nobody expects; `note_late` waits for them. They and those in neither want a push of their own.
    """

    done: dict[str, Converged | PushFailed] = field(default_factory=dict)
    late: dict[str, Write] = field(default_factory=dict)
    #: Those of `done` for which the database has more by now.
    overtaken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PushTogether:
    """Pushes to several nodes at a time, side by side in threads of `hands`; `taken` hears of the news that a node took.

    Nodes that were written wait `patience` seconds, with their rows held, for the slowest of them. Whoever is late is behind a fence for
    `fenced_for` seconds at most: as long as PostgreSQL lets an idle transaction hold a row.
    """

    database: Database
    nodes: Nodes
    retry_max: float
    audit_every: float
    news: SharedNews
    taken: Callable[[str, Sequence[Change]], None]
    hands: Executor
    fenced_for: float
    patience: float = PATIENCE

    def push(self, node_names: Sequence[str]) -> Together:
        """Send each of the nodes all that changed since it was last pushed to. What was numbered meanwhile is sent in one more turn.

        Raises DatabaseUnavailable.
        """
        found = self._turn(list(dict.fromkeys(node_names)))
        if found.overtaken:
            again = self._turn_again(found.overtaken)
            for name in found.overtaken:
                before, after = found.done.pop(name), again.done.get(name)
                if isinstance(before, Converged) and isinstance(after, Converged):
                    after = replace(
                        after, sent=before.sent + after.sent, refused=before.refused + after.refused
                    )
                if after is not None:
                    found.done[name] = after
            found.late |= again.late
        return found

    def _turn_again(self, node_names: Sequence[str]) -> Together:
        """Whatever harms this turn must not lose who is late since the one before. The push of its own that each wants meets it again, and says so."""
        try:
            return self._turn(node_names)
        except DatabaseUnavailable:
            return Together()
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("pushed_one_by_one", nodes=list(node_names), error=type(error).__name__)
            return Together()

    def note_late(self, late: Write) -> None:
        """Wait until a node that was late is written, note what it refused, and let others write it again.

        A failure is not noted, for it may be one of a node that was changed meanwhile: the push that follows meets it again. Raises
        DatabaseUnavailable, and what nobody expects.
        """
        wait([late.result])
        if (until := late.fenced_until) is not None:
            self.database.transaction(lambda connection: self._lift_fence(connection, late, until))
        error = late.result.exception()
        if error is not None and not isinstance(error, _EXPECTED):
            raise error

    def _lift_fence(self, connection: Connection, late: Write, until: datetime) -> None:
        has_refused = fence.lift(connection, late.row.id, until)
        if has_refused is None:
            return
        if late.result.exception() is not None:
            self.nodes.drop(late.row)
        elif (refused := late.result.result()) is not None and (refused or has_refused):
            refused_rows.note(connection, late.row.id, late.told.changes, refused)

    def _turn(self, node_names: Sequence[str]) -> Together:
        found = Together()
        writes: list[Write] = []
        try:
            with self.database.connection() as connection, connection.transaction():
                for row in take(connection, node_names, self.retry_max, audit_every=self.audit_every):
                    if _keeps_pace(row):
                        told = _told(connection, row, self.news)
                        written = self.hands.submit(_write, self.nodes, row, told, self.taken)
                        writes.append(Write(row, told, written))
                wait([write.result for write in writes], self.patience)
                versions = self._note(connection, writes, found)
                newest = mark_applied(connection, versions) if versions else 0
                found.overtaken = [
                    name for name, done in found.done.items() if isinstance(done, Converged) and done.version < newest
                ]  # fmt: skip
        except BaseException:
            # Nobody else may use the connections to these nodes before.
            wait([write.result for write in writes if not write.result.cancel()])
            raise
        return found

    def _note(self, connection: Connection, writes: Sequence[Write], found: Together) -> dict[int, int]:
        """Say of each write what became of it; the version of each node that was written, by its id."""
        versions: dict[int, int] = {}
        still_written: list[Write] = []
        for write in writes:
            row, told, result = write.row, write.told, write.result
            if result.cancel():  # it has not begun: each thread is with another node
                continue
            if not result.done():
                still_written.append(write)
                continue
            error = result.exception()
            if isinstance(error, _EXPECTED):
                found.done[row.name] = note_failure(connection, row, self.nodes, self.retry_max, error)
            elif error is not None:
                self.nodes.drop(row)
                found.late[row.name] = write
            elif (refused := result.result()) is not None:
                if refused or row.has_refused:
                    refused_rows.note(connection, row.id, told.changes, refused)
                versions[row.id] = told.version
                if told.version >= row.version:
                    found.done[row.name] = Converged(
                        row.version,
                        len(told.changes),
                        row.audit_due,
                        refused=len(refused),
                        often=row.audited_often,
                    )
        if still_written:
            until = fence.put_up(connection, [write.row.id for write in still_written], self.fenced_for)
            found.late |= {
                write.row.name: replace(write, fenced_until=until[write.row.id]) for write in still_written
            }
        return versions


def _keeps_pace(row: NodeRow) -> bool:
    """Whether nothing is known of the node but that it was told everything up to a version, not long ago."""
    noted = Cursor(row.lineage, row.applied_version)
    known = row.resync or row.failures or row.refused_due
    return not known and row.head.follows(noted) and row.version - row.applied_version <= MOST_BEHIND


def _told(connection: Connection, row: NodeRow, news: SharedNews) -> News:
    if row.applied_version == row.version:
        return News([], row.version)
    return news.since(connection, Cursor(row.lineage, row.applied_version), row.head, row.scope)


def _write(
    nodes: Nodes, row: NodeRow, told: News, taken: Callable[[str, Sequence[Change]], None]
) -> list[RefusedRow] | None:
    node = nodes.open(row)
    if node.cursor() != Cursor(row.lineage, row.applied_version):
        return None
    if not told.changes:
        return []
    refused = node.apply(told.changes, Cursor(row.lineage, told.version))
    taken(row.name, told.changes)
    return refused
