"""What the system does by itself in time: stays that end, and old rows that are forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row, dict_row

from roost.database import Connection, Database, query
from roost.journal import AlreadyRecorded, Entry, Journal, answer
from roost.outcomes import Outcome
from roost.requests import Answer, Return
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
        self._settings = settings
        self._journal = Journal(database, settings)

    def end_due(self) -> int:
        """Send home the guests whose stay is over; how many went."""
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(_Ended)) as cursor,
        ):
            ended = cursor.execute(query("list_ended_stays"), {"limit": LIMIT}).fetchall()
        return sum(self._end(stay).outcome is Outcome.RETURNED for stay in ended)

    def forget_old(self) -> None:
        """Remove what nobody asks for any more: tries of old calls, and the journal beyond its time."""
        with self._database.connection() as connection:
            connection.execute(query("forget_old_calls"))
            if self._settings.journal_keep_days:
                connection.execute(query("forget_old_journal"), {"days": self._settings.journal_keep_days})

    def _end(self, stay: _Ended) -> Answer:
        request = Return(
            request_id=f"system:stay:{stay.phone_id}:{stay.guest_since.timestamp():.6f}",
            origin="system",
            made_at=stay.guest_since,
            reason=stay.reason,
            organization=stay.organization,
            number=stay.number,
        )
        params = request.model_dump()

        def work(connection: Connection) -> Answer:
            connection.execute(query("lock_extension"), params)
            connection.execute(query("lock_host"), params)
            with connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(query("read_whereabouts"), params).fetchone()
            assert row is not None  # the statement starts from one row
            if row["recorded"]:
                raise AlreadyRecorded
            entry = Entry("return", Outcome.NOTHING_TO_RETURN, stay.organization, stay.number, row["host"])
            if (row["host_id"], row["guest_since"]) != (stay.phone_id, stay.guest_since):
                return answer(request, entry, row["now"])  # gone meanwhile: nothing to record
            connection.execute(query("vacate_phone"), {"phone_id": stay.phone_id})
            entry = Entry("return", Outcome.RETURNED, stay.organization, stay.number, row["host"])
            self._journal.write(connection, request, entry)
            return answer(request, entry, row["now"])

        return self._journal.settle(request, work)
