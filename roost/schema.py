"""The schema: made in an empty database, and brought up to date while programs of the release before go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from roost.errors import Conflict, DatabaseUnavailable
from roost.version import VERSION, check_version, functions_of, use_functions, version_of

_Connection = psycopg.Connection[tuple[Any, ...]]

_ANYTHING_THERE = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' LIMIT 1
"""
#: Composite types stand before the functions that speak of them.
_TYPES = "types.sql"


class DatabaseNotEmpty(Conflict):
    """The database is not empty; Roost only starts in an empty one."""

    code = "database_not_empty"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What `upgrade_database` found and left: versions; `before` is None when the database was empty."""

    before: int | None
    now: int


def init_database(url: str) -> None:
    """Set an empty database up. Raises DatabaseNotEmpty, DatabaseUnavailable."""
    with _one_at_a_time(url) as connection:
        _make(connection)


def upgrade_database(url: str) -> Upgrade:
    """Bring the database to VERSION, in one transaction; an empty one is set up, a newer one is left as it is.

    Raises DatabaseNotEmpty when something else is there, ProgramBehind, DatabaseUnavailable.
    """
    with _one_at_a_time(url) as connection:
        before = version_of(connection)
        if before is None:
            _make(connection)
        elif before < VERSION:
            for version in range(before + 1, VERSION + 1):
                connection.execute(_read_migration(version))
                connection.execute("INSERT INTO roost_version (version) VALUES (%s)", (version,))
            _add_functions(connection)
            _drop_old_functions(connection)
        else:
            check_version(connection)
        return Upgrade(before, max(before or 0, VERSION))


def check_schema(url: str) -> None:
    """Raises WrongVersion when this program does not run on this database, DatabaseUnavailable."""
    with _connect(url) as connection:
        check_version(connection)


def _make(connection: _Connection) -> None:
    found = connection.execute(_ANYTHING_THERE).fetchone()
    if found is not None:
        raise DatabaseNotEmpty(f"It has {found[0]}.")
    connection.execute(_read_schema())
    _add_functions(connection)


def _add_functions(connection: _Connection) -> None:
    """Make the schema of this version, and its functions in it. What they call is looked up when they run."""
    schema = sql.Identifier(functions_of(VERSION))
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    use_functions(connection)
    for file in _function_files():
        connection.execute(file.read_bytes())


def _function_files() -> list[Traversable]:
    found = files("roost").joinpath("functions").iterdir()
    return sorted(found, key=lambda file: (file.name != _TYPES, file.name))


def _drop_old_functions(connection: _Connection) -> None:
    """Drop the functions that no program uses which runs on this version: those before the version before."""
    old = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^roost_f[0-9]{4}$' AND nspname < %s",
        (functions_of(VERSION - 1),),
    ).fetchall()
    for (name,) in old:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@contextmanager
def _one_at_a_time(url: str) -> Iterator[_Connection]:
    """One transaction; whoever else wants to make or upgrade this database waits until it is over."""
    with _connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('roost schema', 0))")
        yield connection


def _connect(url: str) -> _Connection:
    try:
        return psycopg.connect(url, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(str(error).strip().splitlines()[0]) from None


def _read_migration(version: int) -> bytes:
    return files("roost").joinpath("migrations", f"{version}.sql").read_bytes()


def _read_schema() -> bytes:
    # In an installed package the file lies beside this module; in a checkout, at the top.
    packaged = files("roost").joinpath("schema.sql")
    return (
        packaged.read_bytes()
        if packaged.is_file()
        else Path(__file__).parent.with_name("schema.sql").read_bytes()
    )
