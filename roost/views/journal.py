"""What the journal tells: which requests there were, and who was on a phone at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row

from roost.database import Connection, Database, query
from roost.directory.errors import UnknownPhone
from roost.directory.fields import BadField, ExtensionKey
from roost.moves.at_most_once import extension_key

#: Entries given at once, unless the caller says otherwise.
LIMIT = 100


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


@dataclass(frozen=True, slots=True)
class Occupant:
    """Who was on a phone at a time: `guest`, or its own extension `base` (as provisioned today) when None.

    `since`: when that began, `until`: when it ended; None: the journal does not say, or it has not ended.
    `certain` is False when the journal does not reach back so far.
    """

    phone: str
    at: datetime
    guest: str | None
    base: str | None
    since: datetime | None
    until: datetime | None
    certain: bool


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
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(JournalEntry)) as cursor,
    ):
        return cursor.execute(query("list_journal"), params).fetchall()


def latest_of(database: Database, extension: ExtensionKey, entries: int) -> list[JournalEntry]:
    """The newest entries of one extension, those that displaced it too."""
    params = extension._asdict() | {"entries": entries}
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(JournalEntry)) as cursor,
    ):
        return cursor.execute(query("list_lately"), params).fetchall()


def who_was_on(database: Database, phone: str, at: datetime) -> Occupant:
    """Who was on this phone at that time. Raises UnknownPhone when neither directory nor journal knows it.

    The last change before that time says who came or that somebody left; without one, the first change after it
    says who was there until then; without that, who sits there today may have sat there already.
    """
    with database.connection() as connection:
        facts = _row(connection, "read_phone_at", phone, at)
        before, after = (
            _row(connection, "read_phone_before", phone, at),
            _row(connection, "read_phone_after", phone, at),
        )
    assert facts is not None  # the statement starts from one row
    if not (facts["exists"] or before or after):
        raise UnknownPhone(f"({phone})")
    if at > facts["now"]:
        raise BadField("That time has not come yet.")
    guest = since = None
    if before is not None:
        since = before["at"]
        if before["phone"] == phone and before["outcome"] == "virtualized":
            guest = extension_key(before["organization"], before["extension"])
    elif after is not None:
        guest = _left_by(after, phone)
    elif facts["guest_since"] is not None and facts["guest_since"] <= at:
        guest, since = extension_key(facts["organization"], facts["guest"]), facts["guest_since"]
    begins = facts["journal_begins"]
    return Occupant(
        phone=phone, at=at, guest=guest, base=facts["base"] and extension_key(facts["organization"], facts["base"]),
        since=since, until=after["at"] if after else None,
        certain=bool(before or guest or (begins is not None and begins <= at)),
    )  # fmt: skip


def _left_by(event: dict[str, Any], phone: str) -> str | None:
    """Who was on the phone until this event: who returned, moved on, or was displaced. None: nobody."""
    left = event["left_phone"] == phone or event["outcome"] == "returned"
    number = event["extension"] if left else event["displaced"]
    return number and extension_key(event["organization"], number)


def _row(connection: Connection, statement: str, phone: str, at: datetime) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(statement), {"phone": phone, "at": at}).fetchone()
