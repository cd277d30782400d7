"""Stays that end by themselves: after the longest stay, or at the daily return of an organization or extension.

When a stay ends is computed by `first_limit_of_stay`, in PostgreSQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg
import structlog
from psycopg.rows import class_row

from roost.database import Conflicting, Database, query
from roost.errors import DatabaseTooSlow
from roost.moves.binding import Binding, Stay
from roost.moves.outcomes import Outcome
from roost.moves.requests import Return
from roost.settings import Settings

log = structlog.get_logger(__name__)

#: Stays that are looked for at a time.
LIMIT = 500
#: Stays that end in one transaction: whoever wants one of these phones waits for the others, too.
TOGETHER = 32


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

    def end_due(self, seconds: float = 0.0, went: Callable[[], object] = lambda: None) -> int:
        """Send home the guests whose stay is over, some at a time and for about so many seconds; how many went.

        `went` is called each time that some did. The next run goes on with those whose turn has not come.
        """
        ends = time.monotonic() + seconds
        gone = 0
        while True:
            due = self._due()
            home = 0
            for place in range(0, len(due), TOGETHER):
                if some := self._end(due[place : place + TOGETHER]):
                    home += some
                    went()
            gone += home
            if len(due) < LIMIT or not home or time.monotonic() >= ends:
                return gone

    def _due(self) -> list[Stay]:
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(_Ended)) as cursor,
        ):
            ended = cursor.execute(query("list_ended_stays"), {"limit": LIMIT}).fetchall()
        return [_stay(each) for each in ended]

    def _end(self, stays: Sequence[Stay]) -> int:
        """How many went. A stay whose rows somebody holds, or which PostgreSQL refuses to end, is left to the next run."""
        try:
            answers = self._binding.end_stays(stays)
        except (Conflicting, DatabaseTooSlow, psycopg.Error) as error:
            if len(stays) > 1:  # one of them is the reason
                return sum(self._end([stay]) for stay in stays)
            if isinstance(error, Conflicting):
                return 0
            if not isinstance(error, DatabaseTooSlow):
                log.exception("stay_not_ended", extension=_extension(stays[0]))
                return 0
            answers = [self._binding.end_stay(stays[0])]
        return sum(answer is not None and answer.outcome is Outcome.RETURNED for answer in answers)


def _extension(stay: Stay) -> str:
    return f"{stay.request.organization}*{stay.request.number}"


def _stay(ended: _Ended) -> Stay:
    request = Return(
        request_id=f"system:stay:{ended.phone_id}:{ended.guest_since.timestamp():.6f}",
        origin="system",
        made_at=ended.guest_since,
        reason=ended.reason,
        organization=ended.organization,
        number=ended.number,
    )
    return Stay(request, ended.phone_id, ended.guest_since)
