"""What changed after a cursor, for those who follow along: the same change log that the nodes follow."""

from __future__ import annotations

from dataclasses import dataclass

from roost.database import Database
from roost.nodes.routes import BATCH, news_since, read_head
from roost.pbx.node import ActsAs, Change, Cursor, Rings


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """What changed, up to `cursor`; None: more than a batch, or the cursor is of another lineage: read the lists anew."""

    cursor: Cursor
    changes: list[Change] | None


def read_changes_since(database: Database, cursor: Cursor | None) -> ChangesSince:
    """Read what changed after the cursor; without one, nothing has: only where to begin."""
    with database.connection() as connection:
        head = read_head(connection)
        if cursor is None or cursor == head:
            return ChangesSince(head, [])
        if not head.follows(cursor) or head.version - cursor.version >= BATCH:
            return ChangesSince(head, None)
        return ChangesSince(head, news_since(connection, cursor.version, head.version).changes)


def organization_of(change: Change) -> str | None:
    """Whose change it is; None: a phone that is gone does not say."""
    match change:
        case Rings():
            return change.extension.partition("*")[0]
        case ActsAs():
            return change.organization
        case _:
            return change.key.partition("*")[0] if change.kind == "e" else None
