"""The schema: made in an empty database, and brought up to date while programs of the version before go on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg import sql

from roost.database import read_url
from roost.errors import Conflict, DatabaseUnavailable
from roost.grants import grant
from roost.not_reached import how_to_reach, why_not_reached
from roost.version import VERSION, check_version, functions_of, use_functions, version_of

_Connection = psycopg.Connection[tuple[Any, ...]]

#: Server versions that Roost is tested with.
OLDEST, NEWEST = 15, 18

#: What belongs to an extension of PostgreSQL, such as pg_stat_statements, is in nobody's way.
_ANYTHING_THERE = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
LIMIT 1
"""
#: Seconds to wait for a table, try by try. It is closed meanwhile to all who come later, so an upgrade gives way before they give
#: up (`lock_timeout` in database.py), and lets them pass. The last two are for a cluster with many nodes that do not answer: each
#: of their pushes holds a row of `pbx_node` for as long as it tries.
_PATIENCE = (0.3, 0.3, 0.6, 1, 2, 2.5, 2.5, 2.5, 8, 15)
#: Seconds between two tries.
_PAUSE = 0.5
#: A paragraph of a migration that is no transaction.
_BUILT_BESIDE = re.compile(rb"CREATE INDEX CONCURRENTLY IF NOT EXISTS (\w+)")
HOW_IN_UTF8 = "Make one: createdb --encoding=UTF8 --locale=C.UTF-8 --template=template0 --owner=ROLE NAME"
#: Composite types stand before the functions that speak of them.
_TYPES = "types.sql"


class DatabaseNotEmpty(Conflict):
    """The database is not empty; Roost only starts in an empty one."""

    code = "database_not_empty"


class DatabaseUnfit(Conflict):
    """Roost cannot live in this database."""

    code = "database_unfit"


class NotAllowed(Conflict):
    """The database role may not do this; it must own the database, or Roost's tables and CREATE on the database."""

    code = "database_role"


class DatabaseBusy(DatabaseUnavailable):
    """A transaction holds a table of Roost for too long; the rest waits for another `roost db upgrade`."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What `upgrade_database` found and left: versions; `before` is None when the database was empty."""

    before: int | None
    now: int


def init_database(url: str) -> None:
    """Set an empty database up. Raises DatabaseNotEmpty, DatabaseUnfit, NotAllowed, DatabaseUnavailable."""
    with alone(url) as connection:
        _make(connection)


def upgrade_database(url: str) -> Upgrade:
    """Bring the database to VERSION; an empty one is set up, a newer one is left as it is.

    What was cut off in the middle goes on when it is run again: programs of the version before run at each moment of it.
    Raises DatabaseNotEmpty when something else is there, DatabaseUnfit, ProgramBehind, NotAllowed, DatabaseUnavailable.
    """
    with alone(url) as connection:
        before = version_of(connection)
        if before is None:
            _make(connection)
        elif before >= VERSION:
            check_version(connection)
        else:
            for version in range(before + 1, VERSION):
                _migrate(connection, version)
                _note(connection, version)
            _migrate(connection, VERSION)
            with connection.transaction():
                _add_functions(connection)
                _drop_old_functions(connection)
                grant(connection)
                _note(connection, VERSION)
        return Upgrade(before, max(before or 0, VERSION))


def check_schema(url: str) -> int:
    """The version of the database. Raises WrongVersion when this program does not run on it, DatabaseUnavailable."""
    with _connect(url) as connection:
        return check_version(connection)


def _make(connection: _Connection) -> None:
    version = version_of(connection)
    if version is not None:
        raise DatabaseNotEmpty(f"It is a Roost of version {version} already.")
    found = connection.execute(_ANYTHING_THERE).fetchone()
    if found is not None:
        raise DatabaseNotEmpty(f"It has {found[0]}; give Roost one of its own.")
    _check_server(connection)
    with connection.transaction():
        connection.execute(_read_schema())
        _add_functions(connection)
        grant(connection)


def _check_server(connection: _Connection) -> None:
    major, encoding = connection.info.server_version // 10_000, encoding_of(connection)
    if major < OLDEST:
        raise DatabaseUnfit(f"It is PostgreSQL {major}, and {OLDEST} or newer is needed.")
    if encoding != "UTF8":
        raise DatabaseUnfit(f"Its encoding is {encoding}, which does not hold every name. {HOW_IN_UTF8}")


def encoding_of(connection: psycopg.Connection[Any]) -> str:
    """The encoding of a connection's database, as PostgreSQL calls it."""
    return connection.info.parameter_status("server_encoding") or "unknown"


def _migrate(connection: _Connection, version: int) -> None:
    """Run each paragraph of the migration to this version in a transaction of its own; an index of a large table is built beside them."""
    file = files("roost").joinpath("migrations", f"{version}.sql")
    for paragraph in file.read_bytes().split(b"\n\n"):
        index = _BUILT_BESIDE.search(paragraph)
        if index is None:
            _patiently(connection, paragraph)
        else:
            _build(connection, index[1].decode(), paragraph)


def _note(connection: _Connection, version: int) -> None:
    connection.execute("INSERT INTO roost_version (version) VALUES (%s)", (version,))


def _add_functions(connection: _Connection) -> None:
    """Make the schema of this version, and its functions in it. What they call is looked up when they run."""
    schema = sql.Identifier(functions_of(VERSION))
    # All roles see the functions, as they would in `public`; what one may do with the tables is another matter.
    connection.execute(sql.SQL("CREATE SCHEMA {0}; GRANT USAGE ON SCHEMA {0} TO PUBLIC").format(schema))
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
def alone(url: str) -> Iterator[_Connection]:
    """A connection in autocommit mode. Who else wants to make or upgrade this database comes after it."""
    with _connect(url) as connection:
        _patiently(connection, b"SELECT pg_advisory_lock(hashtextextended('roost schema', 0))")
        yield connection


def _patiently(connection: _Connection, statements: bytes) -> None:
    """Run them in one transaction, as soon as the locks that they need can be had. Raises DatabaseBusy."""
    for patience in _PATIENCE:
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{patience * 1000:.0f}ms",))
        try:
            connection.execute(statements)
            return
        except (pg.LockNotAvailable, pg.DeadlockDetected):
            time.sleep(_PAUSE)
    raise DatabaseBusy("Look for an old `xact_start` in pg_stat_activity (a backup?), and try again.")


def _build(connection: _Connection, index: str, statement: bytes) -> None:
    """Build an index while others write: nobody waits for it, and it waits for whoever writes. One that broke off is built anew.

    Raises DatabaseBusy.
    """
    connection.execute("SET lock_timeout = 0")
    for _ in _PATIENCE:
        broken = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
        if connection.execute(broken, (index,)).fetchone():
            connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(index)))
        try:
            connection.execute(statement)
            return
        except pg.DeadlockDetected:  # with who waits for this upgrade to end
            time.sleep(_PAUSE)
    raise DatabaseBusy("Look for an old `xact_start` in pg_stat_activity (a backup?), and try again.")


@contextmanager
def _connect(url: str) -> Iterator[_Connection]:
    """A connection in autocommit mode, whose errors are Roost's."""
    read_url(url)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            yield connection
    except pg.ReadOnlySqlTransaction:
        raise DatabaseUnavailable("This one only reads: it is a standby, or set to.") from None
    except pg.InsufficientPrivilege as error:
        raise NotAllowed(f"PostgreSQL says: {error.diag.message_primary}.") from None
    except psycopg.OperationalError as error:
        why = why_not_reached(error)
        raise DatabaseUnavailable(f"({why}) {how_to_reach(why)}") from None


def _read_schema() -> bytes:
    # In an installed package the file lies beside this module; in a checkout, at the top.
    packaged = files("roost").joinpath("schema.sql")
    return (
        packaged.read_bytes()
        if packaged.is_file()
        else Path(__file__).parent.with_name("schema.sql").read_bytes()
    )
