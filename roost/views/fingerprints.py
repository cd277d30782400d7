"""How a page decides that nothing it shows has changed: by fingerprints of the rows that it is made of.

A page is read far more often than what it shows changes. So a page names its rows (`Rows`), and PostgreSQL is asked for a
fingerprint of each set: SHA-256 of the rows in their order, equal for equal rows only. One statement gives them together with
the reader's session (`roost.people.sessions.Sessions.find_with_fingerprints`). While all are as they were, the page is answered
from its process's cache (`workers/web/pages/cached_page.py`); else it is made anew, and cached under the fingerprints that were
read in the same snapshot as its values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from roost.database import Database, query


class Rows(NamedTuple):
    """The rows of a named statement."""

    statement: str
    params: Mapping[str, object]


#: One of each set of rows.
Fingerprints = tuple[bytes, ...]

_FINGERPRINT = (
    "(SELECT sha256(convert_to(coalesce(string_agg(shown::text, E'\\n'), ''), 'UTF8')) FROM (\n{}\n) shown)"
)
_TOGETHER = "SELECT first.*, {} FROM (\n{}\n) first"


def read_fingerprints(database: Database, shown: Sequence[Rows]) -> Fingerprints:
    """A fingerprint of each. Raises DatabaseUnavailable."""
    with database.connection() as connection:
        row = connection.execute(*with_fingerprints("fingerprints_alone", {}, shown)).fetchone()
    assert row is not None  # it always has one
    return row[1:]


def with_fingerprints(
    name: str, params: Mapping[str, object], shown: Sequence[Rows]
) -> tuple[str, dict[str, object]]:
    """The named statement, with a fingerprint of each set of rows as further columns; and the parameters of all of it."""
    statement = _together(name, tuple(rows.statement for rows in shown))
    own = {f"{place}_{key}": value for place, rows in enumerate(shown) for key, value in rows.params.items()}
    return statement, {**params, **own}


@cache
def _together(first: str, shown: tuple[str, ...]) -> str:
    columns = ", ".join(_FINGERPRINT.format(_numbered(name, place)) for place, name in enumerate(shown))
    return _TOGETHER.format(columns, query(first))


def _numbered(name: str, place: int) -> str:
    """The named statement, its parameters marked with its place: two statements may call theirs the same."""
    return re.sub(r"%\((\w+)\)s", rf"%({place}_\1)s", query(name))
