"""Pruning: the system forgets what nobody asks for any more."""

from __future__ import annotations

from roost.database import Database, query


def prune(database: Database, journal_keep_days: int | None) -> None:
    """Remove the tries and proofs of old calls, and journal rows older than so many days; None keeps these for ever."""
    with database.connection() as connection:
        connection.execute(query("prune_calls"))
        if journal_keep_days:
            connection.execute(query("prune_journal"), {"days": journal_keep_days})
