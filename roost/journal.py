"""The journal: each request takes effect at most once, and is written down once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import errors as pg
from psycopg.rows import dict_row

from roost.database import Connection, Database, query
from roost.outcomes import Outcome
from roost.requests import Answer, Request
from roost.settings import Settings

#: A request made later than now by more than this was dated by a clock that is wrong.
_FUTURE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one request came to."""

    operation: str
    outcome: Outcome
    organization: str | None = None
    extension: str | None = None
    phone: str | None = None
    left_phone: str | None = None
    displaced: str | None = None
    reason: str = ""


class AlreadyRecorded(Exception):
    """Raised inside a request's transaction: the journal has this request; undo, and answer what it says."""


class Journal:
    """Runs a request's transaction so that it happens at most once, in time, and is recorded with it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def expires_at(self, request: Request) -> datetime | None:
        """When the request is too old to take effect, by the database's clock; the system's own never are."""
        settings = self._settings
        if request.origin == "system":
            return None
        limit = settings.call_time_limit if request.origin == "call" else settings.request_time_limit
        return request.made_at + timedelta(seconds=limit)

    def is_expired(self, request: Request, now: datetime) -> bool:
        """Whether the request is too old, or dated in the future."""
        expires_at = self.expires_at(request)
        return expires_at is not None and (now > expires_at or request.made_at > now + _FUTURE)

    def settle(
        self, request: Request, work: Callable[[Connection], Answer], expired: Entry | None = None
    ) -> Answer:
        """Run `work`, which records its entry, in a transaction.

        If another delivery of the same request was faster, all of it is undone and the recorded outcome is
        answered; if it came too late to commit, the `expired` entry is recorded instead.
        """
        try:
            return self._database.transaction(work)
        except AlreadyRecorded:
            return self.recorded(request)
        except pg.UniqueViolation as error:
            if error.diag.constraint_name != "journal_pkey":
                raise
            return self.recorded(request)
        except pg.CheckViolation as error:
            if error.diag.constraint_name != "in_time" or expired is None:
                raise
        # Another delivery may be faster after all: then what it recorded is the answer.
        with suppress(pg.UniqueViolation):
            self._database.transaction(lambda connection: self.write(connection, request, expired))
        return self.recorded(request)

    def recorded(self, request: Request) -> Answer:
        """What the journal says of a request that is in it."""
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(query("read_recorded"), {"request_id": request.request_id}).fetchone()
        assert row is not None  # the primary key has just refused a second row, and rows stay
        return Answer(
            request_id=request.request_id,
            outcome=Outcome(row["outcome"]),
            now=row["now"],
            extension=extension_key(row["organization"], row["extension"]),
            phone=row["phone"],
            displaced=extension_key(row["organization"], row["displaced"]),
        )

    def write(self, connection: Connection, request: Request, entry: Entry) -> None:
        """Record the entry in the caller's transaction."""
        connection.execute(
            query("insert_journal"),
            {
                "request_id": request.request_id,
                "made_at": request.made_at,
                "expires_at": self.expires_at(request),
                "origin": request.origin,
                "actor": request.actor,
                "operation": entry.operation,
                "organization": entry.organization,
                "extension": entry.extension,
                "phone": entry.phone,
                "outcome": entry.outcome.value,
                "reason": entry.reason or request.reason,
                "left_phone": entry.left_phone,
                "displaced": entry.displaced,
            },
        )


def answer(request: Request, entry: Entry, now: datetime) -> Answer:
    """The answer that goes with a journal entry."""
    return Answer(
        request_id=request.request_id,
        outcome=entry.outcome,
        now=now,
        extension=extension_key(entry.organization, entry.extension),
        phone=entry.phone,
        displaced=extension_key(entry.organization, entry.displaced),
    )


def extension_key(organization: str | None, number: str | None) -> str | None:
    """`0001*001`; only the number where the organization is not known."""
    return f"{organization}*{number}" if organization and number else number
