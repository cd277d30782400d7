"""How busy Roost is, and how soon the nodes know: read from the journal and the cursors, second by second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from roost.database import Database, query


class Count(NamedTuple):
    """Requests of one second (Unix time) that came to the same."""

    second: int
    operation: str
    outcome: str
    requests: int


@dataclass(frozen=True, slots=True)
class Beat:
    """How far the database is, and the slowest node of those that answer.

    `applied_at`: when the last node came where it is; `first_change`: the first recorded change after `since`.
    """

    version: int
    applied_version: int
    applied_at: datetime | None
    first_change: datetime | None
    now: datetime


def count_requests(database: Database, seconds: int) -> list[Count]:
    """Count the requests of the last seconds."""
    with database.connection() as connection, connection.cursor(row_factory=class_row(Count)) as cursor:
        return cursor.execute(query("count_requests"), {"seconds": seconds}).fetchall()


def read_beat(database: Database, since: datetime | None) -> Beat:
    """Read how far everybody is."""
    with database.connection() as connection, connection.cursor(row_factory=class_row(Beat)) as cursor:
        beat = cursor.execute(query("read_beat"), {"since": since}).fetchone()
    assert beat is not None  # it always has one row
    return beat
