"""What changed after a cursor, for those who follow along: the same change log that the nodes follow."""

from __future__ import annotations

from dataclasses import dataclass

from roost.database import Database
from roost.nodes.routes import BATCH, news_since, read_history
from roost.pbx.node import ActsAs, Change, Cursor, Rings


@dataclass(frozen=True, slots=True)
class News:
    """What changed, up to `cursor`; None: more than a batch, or the cursor is of another database: read the lists anew."""

    cursor: Cursor
    changes: list[Change] | None


def read_news(database: Database, cursor: Cursor | None) -> News:
    """Read what changed after the cursor; without one, nothing has: only where to begin."""
    with database.connection() as connection:
        history = read_history(connection)
        if cursor is None or cursor == history:
            return News(history, [])
        if not history.follows(cursor) or history.version - cursor.version >= BATCH:
            return News(history, None)
        return News(history, news_since(connection, cursor.version, history.version).changes)


def organization_of(change: Change) -> str | None:
    """Whose change it is; None: a phone that is gone does not say."""
    match change:
        case Rings():
            return change.extension.partition("*")[0]
        case ActsAs():
            return change.organization
        case _:
            return change.key.partition("*")[0] if change.kind == "e" else None
