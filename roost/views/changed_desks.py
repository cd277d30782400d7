"""Which desks of an organization changed since a version of the change log, which is the one that the nodes follow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from roost.database import Database, query

#: At most so many changes of the whole cluster are looked at; when there are more, the desks on a page are looked up instead.
MOST = 5_000


@dataclass(frozen=True, slots=True)
class ChangedDesks:
    """The short numbers whose whereabouts changed, up to a version of the change log."""

    version: int
    numbers: list[str]


def read_changed_desks(
    database: Database, organization: str, version: int | None, shown: Collection[str]
) -> ChangedDesks:
    """Read which desks changed after a version: after a move, that of whoever moved, and those whose phones are concerned.

    Of very many changes only those of the numbers `shown` are named. `version` None: no changes, only how far the change log is.
    """
    params: dict[str, object] = {"organization": organization, "version": version, "limit": MOST}
    with database.connection() as connection:
        row = connection.execute(query("list_changed_extensions"), params).fetchone()
        assert row is not None  # it always has one row
        now, more, numbers = row
        if more:
            params["numbers"] = list(shown)
            numbers = [
                number for (number,) in connection.execute(query("list_changed_of_extensions"), params)
            ]
    return ChangedDesks(now, numbers)
