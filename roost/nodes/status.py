"""How far each node is behind the database, and whether it holds what it should."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import class_row

from roost.database import Database, query
from roost.directory.errors import UnknownNode
from roost.directory.records import percent_done

#: Seconds without any progress after which nobody waits for audits any longer.
PATIENCE = 30.0
#: A node that lacks a change for more seconds is worth a look; `monitoring/alerts.yml` has the same number.
FAR_BEHIND = 60.0


class NodeState(StrEnum):
    """How a node is."""

    UP_TO_DATE = "up_to_date"
    BEHIND = "behind"
    FAILING = "failing"
    NEVER_SEEN = "never_seen"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node, as its row in the database says.

    `behind` is how many changes it lacks; they are counted up to 10,000, above that it is the number of versions. `seen_ago` is how many seconds
    ago a push last reached it (None: never). `resync`: its whole table is to be compared, because it serves other organizations than before.
    `refused_rows`: how many rows it cannot hold. `doing` is `send` (its whole table is being sent), `audit`, or None; `keys_done` of about
    `keys_total` keys are through. An audit counts each key twice: once as a key that the node must have, once as a key that it has.
    """

    name: str
    kind: str
    host: str
    port: int
    enabled: bool
    applied_version: int
    applied_at: datetime | None
    seen_at: datetime | None
    audited_at: datetime | None
    drift: int
    failures: int
    last_error: str | None
    next_attempt_at: datetime | None
    resync: bool
    behind: int
    seen_ago: float | None
    failing_since: datetime | None
    refused_rows: int
    doing: str | None
    doing_since: datetime | None
    keys_done: int | None
    keys_total: int | None

    @property
    def state(self) -> NodeState:
        """How the node is, the worst first."""
        if not self.enabled:
            return NodeState.DISABLED
        if self.failures:
            return NodeState.FAILING
        if self.seen_at is None:
            return NodeState.NEVER_SEEN
        return NodeState.BEHIND if self.behind or self.resync else NodeState.UP_TO_DATE

    @property
    def percent(self) -> int | None:
        """How much of the send or audit is done; None: neither goes on."""
        return percent_done(self.keys_done, self.keys_total) if self.doing else None

    @property
    def lag(self) -> float | None:
        """For how many seconds, at most, a change has waited for this node. 0: none waits; None: the node was never reached."""
        return self.seen_ago if self.behind else 0.0

    @property
    def is_far_behind(self) -> bool:
        """Whether a change has waited for it for too long."""
        return self.enabled and (self.lag or 0) > FAR_BEHIND


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The database's version, the changes that have no number yet (10,000 at most), its time, and every node."""

    version: int
    unnumbered: int
    now: datetime
    nodes: list[NodeStatus]


def cluster_status(database: Database, node: str | None = None) -> ClusterStatus:
    """Read the status of all nodes, or of one. Raises UnknownNode."""
    with database.connection() as connection:
        versions = connection.execute(query("read_versions")).fetchone()
        with connection.cursor(row_factory=class_row(NodeStatus)) as cursor:
            nodes = cursor.execute(query("list_node_status"), {"node": node}).fetchall()
    assert versions is not None  # it always has one row
    if node is not None and not nodes:
        raise UnknownNode(f"({node})")
    version, unnumbered, now = versions
    return ClusterStatus(version, unnumbered, now, nodes)


def request_audit(database: Database, node: str | None = None) -> dict[str, datetime]:
    """Ask for an audit of all enabled nodes, or of one. Returns when each was asked for, by the node's name.

    The audit follows the node's next push; this does not wait for it. Raises UnknownNode, also for a disabled node.
    """
    with database.connection() as connection:
        asked = dict(connection.execute(query("request_audit"), {"node": node}).fetchall())
    if node is not None and not asked:
        raise UnknownNode(f"({node}, or it is disabled)")
    return asked


def is_audited(node: NodeStatus, asked: dict[str, datetime]) -> bool:
    """Whether an audit of the node began after it was asked for, and ended: `audited_at` is that of the first request that it does not answer."""
    return node.audited_at is not None and node.audited_at > asked[node.name]


def await_audits(
    database: Database,
    asked: dict[str, datetime],
    deadline: float = float("inf"),
    patience: float = PATIENCE,
    poll: float = 0.2,
    tell: Callable[[list[NodeStatus]], None] = lambda _: None,
) -> list[NodeStatus]:
    """Wait until the requested audits are done, and return the status of these nodes then; `is_audited` tells which were done.

    It gives up after `deadline` seconds, or after `patience` seconds without progress. `tell` gets their status at each look.
    """
    ends = time.monotonic() + deadline
    moved, before = time.monotonic(), None
    while True:
        status = [node for node in cluster_status(database).nodes if node.name in asked]
        progress = [(node.audited_at, node.keys_done) for node in status]
        if progress != before:
            moved, before = time.monotonic(), progress
        if all(is_audited(node, asked) for node in status) or time.monotonic() >= min(ends, moved + patience):
            return status
        tell(status)
        time.sleep(poll)
