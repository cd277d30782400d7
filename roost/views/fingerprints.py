"""A look: whose session it is, and whether what a page was made of is still so, in one statement.

A page is read far more often than what it shows changes. So PostgreSQL is asked for a fingerprint of the rows, not for
the rows: a text that is equal for equal rows only (SHA-256 of them in order).
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


Prints = tuple[bytes, ...]

_PRINT = (
    "(SELECT sha256(convert_to(coalesce(string_agg(shown::text, E'\\n'), ''), 'UTF8')) FROM (\n{}\n) shown)"
)
_BESIDE = "SELECT first.*, {} FROM (\n{}\n) first"


def read_prints(database: Database, shown: Sequence[Rows]) -> Prints:
    """A fingerprint of each. Raises DatabaseUnavailable."""
    with database.connection() as connection:
        row = connection.execute(beside("one", names_of(shown)), params_of(shown)).fetchone()
    assert row is not None  # it always has one
    return row[1:]


def names_of(shown: Sequence[Rows]) -> tuple[str, ...]:
    """The statements' names."""
    return tuple(rows.statement for rows in shown)


def params_of(shown: Sequence[Rows]) -> dict[str, object]:
    """The parameters of all: each statement's have its place before their names."""
    return {
        f"{place}_{name}": value for place, rows in enumerate(shown) for name, value in rows.params.items()
    }


@cache
def beside(first: str, shown: tuple[str, ...]) -> str:
    """The statement `first`, and in its row, if it has one, a fingerprint of the rows of each of the others."""
    columns = ", ".join(_PRINT.format(_own(name, place)) for place, name in enumerate(shown))
    return _BESIDE.format(columns, query(first))


def _own(name: str, place: int) -> str:
    return re.sub(r"%\((\w+)\)s", rf"%({place}_\1)s", query(name))
