"""Nodes that keep pace, brought up to date together: their rows are taken by one statement, and marked by one.

Of what a push costs, little is the writing; the rest is the same for one node and for sixteen. It goes no further than what is usual: a node
that is not where it was noted to be, that failed before, or that does not answer soon is left to a push of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field, replace

from roost.database import Connection, Database
from roost.errors import Invalid, NodeRefused, NodeUnavailable
from roost.nodes import refused_rows
from roost.nodes.converge import Converged
from roost.nodes.holding import NodeRow, Nodes, PushFailed, hold, mark_applied, note_failure, take
from roost.nodes.routes import News
from roost.nodes.shared_news import SharedNews
from roost.pbx.node import Change, Cursor, PbxNode, RefusedRow

#: Seconds.
PATIENCE = 0.1


@dataclass(frozen=True, slots=True)
class Write:
    """What a node is told. The result is what it refused; None: it is not where it was noted to be, and was told nothing."""

    told: News
    result: Future[list[RefusedRow] | None]


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

    Nodes that were written wait `patience` seconds, with their rows held, for the slowest of them.
    """

    database: Database
    nodes: Nodes
    retry_max: float
    audit_every: float
    news: SharedNews
    taken: Callable[[str, Sequence[Change]], None]
    hands: Executor
    patience: float = PATIENCE

    def push(self, node_names: Sequence[str]) -> Together:
        """Send each of the nodes all that changed since it was last pushed to. What was numbered meanwhile is sent in one more turn.

        Raises DatabaseUnavailable.
        """
        found = self._turn(list(dict.fromkeys(node_names)))
        if found.overtaken:
            again = self._turn(found.overtaken)
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

    def note_late(self, node_name: str, late: Write) -> PushFailed | None:
        """Wait until a node that was late is written, and note what it refused, or that it failed. Raises what nobody expects."""
        wait([late.result])

        def work(connection: Connection, row: NodeRow, _node: PbxNode) -> None:
            refused = late.result.result()
            if refused:
                refused_rows.note(connection, row.id, late.told.changes, refused)

        return hold(self.database, node_name, self.nodes, self.retry_max, work)

    def _turn(self, node_names: Sequence[str]) -> Together:
        found = Together()
        writes: list[tuple[NodeRow, Write]] = []
        try:
            with self.database.connection() as connection, connection.transaction():
                for row in take(connection, node_names, audit_every=self.audit_every):
                    if _keeps_pace(row):
                        told = _told(connection, row, self.news)
                        writes.append(
                            (row, Write(told, self.hands.submit(_write, self.nodes, row, told, self.taken)))
                        )
                written, _ = wait([write.result for _, write in writes], self.patience)
                versions: dict[int, int] = {}
                for row, write in writes:
                    error = write.result.exception() if write.result in written else None
                    if isinstance(error, (NodeUnavailable, NodeRefused, Invalid)):
                        found.done[row.name] = note_failure(
                            connection, row, self.nodes, self.retry_max, error
                        )
                    elif error is not None or write.result not in written:
                        found.late[row.name] = write
                    elif (refused := write.result.result()) is not None:
                        told = write.told
                        if refused or row.has_refused:
                            refused_rows.note(connection, row.id, told.changes, refused)
                        versions[row.id] = told.version
                        if told.version >= row.version:
                            found.done[row.name] = Converged(
                                row.version, len(told.changes), row.audit_due, refused=len(refused)
                            )
                newest = mark_applied(connection, versions) if versions else 0
                found.overtaken = [
                    name for name, done in found.done.items() if isinstance(done, Converged) and done.version < newest
                ]  # fmt: skip
        except BaseException:
            # Nobody else may use the connections to these nodes before.
            wait([write.result for _, write in writes])
            raise
        return found


def _keeps_pace(row: NodeRow) -> bool:
    """Whether nothing is known of the node but that it was told everything up to a version."""
    noted = Cursor(row.lineage, row.applied_version)
    return not (row.resync or row.failures or row.refused_due) and row.head.follows(noted)


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
