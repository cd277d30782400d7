"""Who was on a phone at a time, from the journal.

The last move up to that time says it: somebody came, or whoever was there left. When there is none, for the journal is pruned or
began later, the first move after that time says who left by it. When there is none either, whoever sits there today may have sat
there already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from psycopg.rows import class_row

from roost.database import Connection, Database, query
from roost.directory.errors import UnknownPhone
from roost.directory.fields import extension_key
from roost.directory.rules import BadField

R = TypeVar("R")


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


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of the phone besides its moves; `base` and `guest` are short numbers of today."""

    exists: bool
    organization: str | None
    code_since: datetime | None
    base: str | None
    guest: str | None
    guest_since: datetime | None
    now: datetime
    journal_begins: datetime | None


@dataclass(frozen=True, slots=True)
class _Move:
    """A row of the journal that changed who is on a phone; `extension` and `displaced` are short numbers."""

    at: datetime
    outcome: str
    organization: str | None
    extension: str | None
    phone: str | None
    left_phone: str | None
    displaced: str | None

    def is_of(self, organization: str | None, since: datetime | None) -> bool:
        """Whether it is of the organization that has this code since then, or of any, with None."""
        return organization is None or (
            organization == self.organization and since is not None and since <= self.at
        )

    def guest_after(self, phone: str) -> str | None:
        """Who is on the phone from this move on; None: nobody, for the guest returned or moved on to another phone."""
        came = self.outcome == "virtualized" and self.phone == phone
        return extension_key(self.organization, self.extension) if came else None

    def guest_before(self, phone: str) -> str | None:
        """Who was on the phone until this move: who returned, moved on, or was displaced; None: nobody."""
        left = self.outcome == "returned" or self.left_phone == phone
        return extension_key(self.organization, self.extension if left else self.displaced)


def who_was_on(database: Database, phone: str, at: datetime, *, organization: str | None = None) -> Occupant:
    """Who was on this phone at that time; with an organization, moves of others are not told: a phone's name may have been theirs before, or the code.

    Raises BadField, and UnknownPhone when neither directory nor journal knows it.
    """
    with database.connection() as connection:
        facts = _read(connection, _Facts, "read_phone_at", phone, at)
        before = _read(connection, _Move, "read_phone_before", phone, at)
        after = _read(connection, _Move, "read_phone_after", phone, at)
    assert facts is not None  # the statement starts from one row
    if not (facts.exists or before or after):
        raise UnknownPhone(f"({phone})")
    if at > facts.now:
        raise BadField("That time has not come yet.")
    first = before or after
    theirs = first is not None and not first.is_of(organization, facts.code_since)
    guest, since = (None, None) if theirs else _guest(facts, before, after, phone, at)
    in_journal = facts.journal_begins is not None and facts.journal_begins <= at
    return Occupant(
        phone=phone, at=at, guest=guest, base=facts.base and extension_key(facts.organization, facts.base), since=since,
        until=after.at if after and after.is_of(organization, facts.code_since) else None,
        certain=not theirs and (before is not None or guest is not None or in_journal),
    )  # fmt: skip


def _guest(
    facts: _Facts, before: _Move | None, after: _Move | None, phone: str, at: datetime
) -> tuple[str | None, datetime | None]:
    """Who was there, and since when; None: nobody, and it is not known."""
    if before is not None:
        return before.guest_after(phone), before.at
    if after is not None:
        return after.guest_before(phone), None
    if facts.guest_since is not None and facts.guest_since <= at:
        return extension_key(facts.organization, facts.guest), facts.guest_since
    return None, None


def _read(connection: Connection, row: type[R], statement: str, phone: str, at: datetime) -> R | None:
    with connection.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(query(statement), {"phone": phone, "at": at}).fetchone()
