"""Stays that end by themselves: after the longest stay, or at the daily return of an organization or extension.

When a stay ends is computed by `stay_ends`, in PostgreSQL.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from roost.database import Database, query
from roost.moves.binding import Binding
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Return
from roost.settings import Settings

#: Stays ended in one run; the next run goes on.
LIMIT = 500


class _Ended(NamedTuple):
    phone_id: int
    guest_since: datetime
    organization: str
    number: str
    reason: str


class Stays:
    """Ends stays whose time is over. Two of these at once do no harm: a stay has one request id."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._binding = Binding(database, settings)

    def end_due(self) -> int:
        """Send home the guests whose stay is over; how many went."""
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(_Ended)) as cursor,
        ):
            ended = cursor.execute(query("list_ended_stays"), {"limit": LIMIT}).fetchall()
        return sum(self._end(stay).outcome is Outcome.RETURNED for stay in ended)

    def _end(self, stay: _Ended) -> Answer:
        request = Return(
            request_id=f"system:stay:{stay.phone_id}:{stay.guest_since.timestamp():.6f}",
            origin="system",
            made_at=stay.guest_since,
            reason=stay.reason,
            organization=stay.organization,
            number=stay.number,
        )
        return self._binding.end_stay(request, stay.phone_id, stay.guest_since)
