"""Pruning: the system forgets what nobody asks for any more, a piece at a time, so that nobody waits for it."""

from __future__ import annotations

import time

from roost.database import Database, query

#: Rows of one transaction: some ten milliseconds.
PIECE = 500
#: Seconds that one run takes at most; the next one, seconds later, goes on. Half of them it rests.
RUN = 1.0


def prune(database: Database, journal_keep_days: int | None) -> int:
    """Remove the tries and proofs of old calls, and journal rows older than so many days; None keeps these for ever.

    Rows that somebody holds are left to the next run. How many rows were removed.
    """
    ends = time.monotonic() + RUN
    removed = _in_pieces(database, "prune_calls", {}, ends)
    if journal_keep_days:
        removed += _in_pieces(database, "prune_journal", {"days": journal_keep_days}, ends)
    return removed


def _in_pieces(database: Database, name: str, parameters: dict[str, object], ends: float) -> int:
    removed = 0
    while True:
        began = time.monotonic()
        with database.connection() as connection:
            piece = connection.execute(query(name), parameters | {"most": PIECE}).rowcount
        removed += piece
        took = time.monotonic() - began
        if piece < PIECE or time.monotonic() + took >= ends:
            return removed
        time.sleep(took)
