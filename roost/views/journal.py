"""What the journal tells: which requests there were, and what they came to. Who was on a phone is in `occupants`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from roost.database import Database, query
from roost.directory.fields import ExtensionKey

#: Entries given at once, unless the caller says otherwise.
LIMIT = 100
#: Entries of a long listing that are read together.
PART = 1000


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request and what it came to. `extension` and `displaced` are short numbers of `organization`.

    `asked_from` is the phone that dialled. `phone` is the one that was moved onto, or that somebody returned from;
    `left_phone` the one that who virtualized was on before.
    """

    request_id: str
    at: datetime
    made_at: datetime | None
    origin: str
    actor: str
    operation: str
    organization: str | None
    extension: str | None
    phone: str | None
    outcome: str
    reason: str
    left_phone: str | None
    displaced: str | None
    asked_from: str | None


def journal_entries(
    database: Database, *, extension: str | None = None, organization: str | None = None, phone: str | None = None,
    outcome: str | None = None, since: datetime | None = None, until: datetime | None = None,
    before_id: str = "", limit: int = LIMIT,
) -> list[JournalEntry]:  # fmt: skip
    """List the journal, newest first; `extension` as `0001*001`. `until` is the first moment left out.

    With `before_id`, entries of that very moment are left out only from this request id on: where a page went up to.

    A phone's entries are also those in which its guest moved on, an extension's also those that displaced it.
    """
    number = None
    if extension is not None:
        organization, number = ExtensionKey.parse(extension)
    params = {
        "organization": organization, "extension": number, "phone": phone, "outcome": outcome, "since": since,
        "until": until, "before_id": before_id, "limit": limit,
    }  # fmt: skip
    statement = (
        "list_journal_of_extension" if number else "list_journal_of_phone" if phone else "list_journal"
    )
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(JournalEntry)) as cursor,
    ):
        return cursor.execute(query(statement), params).fetchall()


def each_entry(
    read: Callable[[datetime | None, str, int], list[JournalEntry]], until: datetime | None, limit: float
) -> Iterator[JournalEntry]:
    """The newest `limit` entries before `until`, read some at a time: `read` gives those before a moment and request id."""
    before_id = ""
    while limit > 0:
        at_once = int(min(limit, PART))
        entries = read(until, before_id, at_once)
        yield from entries
        if len(entries) < at_once:
            return
        limit -= at_once
        until, before_id = entries[-1].at, entries[-1].request_id


def latest_of(database: Database, extension: ExtensionKey, entries: int) -> list[JournalEntry]:
    """The newest entries of one extension, those that displaced it too."""
    params = extension._asdict() | {"entries": entries}
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(JournalEntry)) as cursor,
    ):
        return cursor.execute(query("list_lately"), params).fetchall()
