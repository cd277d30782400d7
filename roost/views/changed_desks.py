"""Which desks of an organization changed since a version of the change log, which is the one that the nodes follow."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row

from roost.database import Database, query

#: At most so many changes of the whole cluster are looked at; when there are more, the answer says `more`.
MOST = 5_000


@dataclass(frozen=True, slots=True)
class ChangedDesks:
    """The short numbers whose whereabouts changed, up to a version of the change log. `more`: these are not all."""

    version: int
    more: bool
    numbers: list[str]


def read_changed_desks(database: Database, organization: str, version: int) -> ChangedDesks:
    """Read which desks changed after a version: after a move, that of whoever moved, and those whose phones are concerned."""
    params = {"organization": organization, "version": version, "limit": MOST}
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(ChangedDesks)) as cursor,
    ):
        changed = cursor.execute(query("list_changed_extensions"), params).fetchone()
    assert changed is not None  # it always has one row
    return changed
