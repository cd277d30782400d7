"""The schema: applied once to an empty database, and later brought up to date step by step."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg

from roost.errors import Conflict, DatabaseUnavailable

#: The version of `schema.sql`. Older databases are brought up by `roost/migrations/<version>.sql`.
VERSION = 1

_ANYTHING_THERE = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' LIMIT 1
"""


class DatabaseNotEmpty(Conflict):
    """The database is not empty; Roost only starts in an empty one."""

    code = "database_not_empty"


class SchemaOutdated(Conflict):
    """The database has another schema version than this program."""

    code = "schema_version"


def init_database(url: str) -> None:
    """Apply `schema.sql`, and then `roost/functions`, in one transaction. Raises DatabaseNotEmpty, DatabaseUnavailable."""
    with _connect(url) as connection:
        found = connection.execute(_ANYTHING_THERE).fetchone()
        if found is not None:
            raise DatabaseNotEmpty(f"It has {found[0]}.")
        connection.execute(_read_schema())
        _replace_functions(connection)


def check_schema(url: str) -> None:
    """Raises SchemaOutdated when the database is not at VERSION, or holds no Roost at all."""
    with _connect(url) as connection:
        if not _holds_roost(connection):
            raise SchemaOutdated("It has none: run `roost db init`.")
        version = connection.execute("SELECT max(version) FROM roost_schema").fetchone()
        if version != (VERSION,):
            raise SchemaOutdated(
                f"It has {version and version[0]}, this program {VERSION}: run `roost db upgrade`."
            )


def upgrade_database(url: str) -> list[int]:
    """Apply the migrations the database lacks, each in its own transaction, and then the functions; their versions."""
    done = []
    for version in range(2, VERSION + 1):
        with _connect(url) as connection:
            connection.execute("LOCK TABLE roost_schema")
            row = connection.execute("SELECT max(version) FROM roost_schema").fetchone()
            if row is None or row[0] >= version:
                continue
            connection.execute(files("roost").joinpath("migrations", f"{version:03}.sql").read_bytes())
            connection.execute("INSERT INTO roost_schema (version) VALUES (%s)", (version,))
            done.append(version)
    with _connect(url) as connection:
        if _holds_roost(connection):
            _replace_functions(connection)
    return done


def _holds_roost(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    return connection.execute("SELECT to_regclass('roost_schema') IS NOT NULL").fetchone() == (True,)


def _replace_functions(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Each file replaces one function; what they call is looked up when they run, so their order says nothing."""
    for file in sorted(files("roost").joinpath("functions").iterdir(), key=lambda file: file.name):
        connection.execute(file.read_bytes())


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return psycopg.connect(url, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(str(error).strip().splitlines()[0]) from None


def _read_schema() -> bytes:
    # In an installed package the file lies beside this module; in a checkout, at the top.
    packaged = files("roost").joinpath("schema.sql")
    return (
        packaged.read_bytes()
        if packaged.is_file()
        else Path(__file__).parent.with_name("schema.sql").read_bytes()
    )
