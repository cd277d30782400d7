"""Who sits where, told from the journal alone: no database, no rule, only what each row says happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

#: What a replay reads, in the order in which it happened.
ROWS = """
SELECT organization, extension, outcome, phone, left_phone, displaced, asked_from FROM journal
WHERE organization = %s OR organization IS NULL ORDER BY at
"""


class Row(NamedTuple):
    """What a row says of one request of one organization."""

    organization: str | None
    extension: str | None
    outcome: str
    phone: str | None
    left_phone: str | None
    displaced: str | None
    asked_from: str | None


def replay(rows: Iterable[Row]) -> dict[str, str]:
    """The guests after the last row, {phone: number}. Raises AssertionError where a row tells what cannot have been."""
    guests: dict[str, str] = {}
    for row in rows:
        match row.outcome:
            case "virtualized":
                assert row.phone is not None, row
                assert row.extension is not None, row
                hosts = [phone for phone, guest in guests.items() if guest == row.extension]
                assert hosts == [row.left_phone] * bool(row.left_phone), row
                if row.left_phone:
                    del guests[row.left_phone]
                assert guests.get(row.phone) == row.displaced, row
                guests[row.phone] = row.extension
            case "returned":
                assert row.phone is not None, row
                assert guests.pop(row.phone, None) == row.extension, row
            case _:
                pass
    return guests
