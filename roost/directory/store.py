"""How the parts of the directory read and write: one transaction a call, and what the schema refuses said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from psycopg.rows import class_row

from roost.database import Connection, Database, query
from roost.directory.errors import in_words
from roost.errors import NotFound

R = TypeVar("R")
P = TypeVar("P")
#: Rows of one listing, unless the caller says otherwise.
LIMIT = 1000
#: Rows of a long listing that are read together.
PAGE = 2000


class Store:
    """What is provisioned, in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _list(self, record: type[R], statement: str, params: Mapping[str, object]) -> list[R]:
        """Read the rows of a named statement as records."""
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(record)) as cursor,
        ):
            return cursor.execute(query(statement), params).fetchall()

    def _write(self, work: Callable[[Connection], None], subject: str) -> None:
        """Do the work in one transaction; errors name the subject."""
        with in_words(subject):
            self._database.transaction(work)

    def _write_one(
        self, statement: str, params: Mapping[str, object], unknown: type[NotFound], subject: str
    ) -> None:
        """Run a named statement that writes one row and returns it; raise `unknown` when it found none."""

        def work(connection: Connection) -> None:
            if one(connection, statement, params) is None:
                raise unknown(f"({subject})")

        self._write(work, subject)


def pages(read: Callable[[P, int], list[R]], place: Callable[[R], P], after: P, limit: int) -> Iterator[R]:
    """Read `limit` rows, some at a time: `read` gives those after a place. Others may change what comes meanwhile."""
    while limit > 0:
        rows = read(after, min(limit, PAGE))
        yield from rows
        if len(rows) < min(limit, PAGE):
            return
        limit -= len(rows)
        after = place(rows[-1])


def one(connection: Connection, statement: str, params: Mapping[str, object]) -> tuple[Any, ...] | None:
    """Run a named statement; its first row."""
    return connection.execute(query(statement), params).fetchone()


def find_organization(database: Database, code: str) -> int:
    """The id of an organization; 0 when there is none."""
    with database.connection() as connection:
        ids = one(connection, "find_owners", {"organization": code, "node": None})
    return int(ids[0]) if ids else 0


def found(rows: list[R], unknown: type[NotFound], name: str) -> R:
    """Give the first row; raise `unknown` about the name when there is none."""
    if not rows:
        raise unknown(f"({name})")
    return rows[0]
