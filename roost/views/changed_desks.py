"""Which desks of an organization changed since a while ago, by the change log that the nodes follow."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row

from roost.database import Database, query

#: Changes of the whole cluster that are looked at together; of more nobody says which they were.
MOST = 5_000


@dataclass(frozen=True, slots=True)
class ChangedDesks:
    """The short numbers whose whereabouts changed, up to a version of the change log. `more`: these are not all."""

    version: int
    more: bool
    numbers: list[str]


def read_changed_desks(database: Database, organization: str, version: int) -> ChangedDesks:
    """Read which desks changed after a version; those of both who moved and whose phone it was are among them."""
    params = {"organization": organization, "version": version, "limit": MOST}
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(ChangedDesks)) as cursor,
    ):
        changed = cursor.execute(query("list_changed_extensions"), params).fetchone()
    assert changed is not None  # it always has one row
    return changed
