"""Exports desks as the file that `importing` reads: imported again, it changes nothing.

An extension that has no phone is a row without one. Phones without an extension, and secret codes, are in no such file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from roost.database import Database, query
from roost.directory.cells import write_cell
from roost.directory.errors import UnknownOrganization
from roost.directory.import_file import COLUMNS

#: Rows that are read, and given, at once.
PART = 1000


def export_desks(database: Database, organization: str | None = None) -> Iterator[str]:
    """The file in parts, as CSV with a byte order mark (Excel needs it); of one organization, or of all.

    Each part is read when it is asked for, so that the file is held by nobody; what is changed meanwhile may be in it or not.
    Raises UnknownOrganization at the first part, and at a later one for an organization that is not called so any more, since what is left of
    it would be missing; DatabaseUnavailable at any.
    """
    organizations = list(_organizations(database, organization))
    if organization is not None and not organizations:
        raise UnknownOrganization(f"({organization})")
    yield "\ufeff" + _lines([list(COLUMNS)])
    for code in organizations:
        yield from map(_lines, _parts(database, code))


def _organizations(database: Database, only: str | None) -> Iterator[str]:
    with database.connection() as connection:
        for (code,) in connection.execute(query("list_organization_codes"), {"only": only}):
            yield code


def _parts(database: Database, organization: str) -> Iterator[list[list[str]]]:
    after = ""
    while True:
        with database.connection() as connection:
            rows = connection.execute(
                query("export_desks"), {"organization": organization, "after": after, "limit": PART}
            ).fetchall()
        if rows:
            yield [[write_cell(text or "") for text in row] for row in rows]
        if len(rows) < PART:
            if not any(_organizations(database, organization)):
                raise UnknownOrganization(
                    f"({organization}: it was renamed or removed meanwhile; export again)"
                )
            return
        after = rows[-1][1]


def _lines(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
