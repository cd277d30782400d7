"""Which versions of the database this program runs on, and where its functions are.

A release has a version of the database, and functions in a PostgreSQL schema of their own. So two releases run on one
database while hosts are restarted one by one: a program runs on its own version and on the next one.
"""

from __future__ import annotations

from typing import Any

import psycopg

from roost.errors import DatabaseUnavailable

#: The version of `schema.sql`. `roost/migrations/<version>.sql` brings the version before it to this one.
VERSION = 2

#: 0.1.0 is version 1. It knows no table `roost_version`, and no schema for functions.
_FIRST = 1


class WrongVersion(DatabaseUnavailable):
    """The database and the program do not fit together."""

    code = "schema_version"

    def __init__(self, found: str, mend: str) -> None:
        super().__init__(f"{found}: {mend}")
        self.found = found
        #: What to do.
        self.mend = mend


class NoRoost(WrongVersion):
    """There is no Roost in the database."""


class DatabaseBehind(WrongVersion):
    """The database is behind the program."""


class ProgramBehind(WrongVersion):
    """The program is behind the database."""


def functions_of(version: int) -> str:
    """The PostgreSQL schema that holds the functions of this version."""
    return f"roost_f{version:04}"


def use_functions(connection: psycopg.Connection[Any]) -> None:
    """Let the connection find this program's functions, before all that its search path names already."""
    connection.execute(
        "SELECT set_config('search_path', %s || ', ' || current_setting('search_path'), false)",
        (functions_of(VERSION),),
    )


def version_of(connection: psycopg.Connection[Any]) -> int | None:
    """The version of this database; None when it holds no Roost."""
    row = connection.execute(
        "SELECT to_regclass('roost_version') IS NOT NULL, to_regclass('roost_schema') IS NOT NULL"
    ).fetchone()
    assert row is not None  # it always has one
    versioned, first = row
    if not versioned:
        return _FIRST if first else None
    row = connection.execute("SELECT max(version) FROM roost_version").fetchone()
    assert row is not None  # an aggregate has one
    return int(row[0])


def check_version(connection: psycopg.Connection[Any]) -> int:
    """The version of this database. Raises NoRoost, DatabaseBehind or ProgramBehind when this program does not run on it."""
    found = version_of(connection)
    if found is None:
        raise NoRoost("It holds something else, or nothing", "`roost db init` sets up an empty one.")
    if found < VERSION:
        raise DatabaseBehind(
            f"It has version {found}, the program needs {VERSION}", "run `roost db upgrade` here, once."
        )
    if found > VERSION + 1:
        raise ProgramBehind(
            f"It runs on versions {VERSION} and {VERSION + 1}, the database has {found}",
            "install a newer Roost here.",
        )
    return found
