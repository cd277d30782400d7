"""PostgreSQL for one process: a pool, named statements, and transactions that are retried whole."""

from __future__ import annotations

import random
import re
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.resources import files
from typing import TypeVar

import psycopg
from prometheus_client import Counter
from psycopg import errors as pg
from psycopg.abc import ConnDict
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from roost.errors import (
    BadText,
    DatabaseReadOnly,
    DatabaseTooSlow,
    DatabaseUnavailable,
    RightMissing,
    SettingMissing,
)
from roost.not_reached import how_to_reach, why_not_reached
from roost.out_of_range import read_every_time
from roost.version import check_version, use_functions

T = TypeVar("T")
Connection = psycopg.Connection[TupleRow]

_INCLUDE = re.compile(r"/\* include (\w+) \*/")
#: What a connection raises that PostgreSQL ended, or that did not come about.
_LOST = (pg.OperationalError, pg.InterfaceError, pg.IdleInTransactionSessionTimeout)
#: What a statement raises when what it names is not there: the database may be of another version.
_MISSING = (pg.UndefinedFunction, pg.UndefinedObject, pg.UndefinedTable, pg.UndefinedColumn)
_CONFLICT = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)

#: A plan made while a table was empty would read it from end to end for as long as the connection lives. PostgreSQL up to 17
#: takes the price of what is off for a reason to compile the plan. And for each piece of a full send it would start another process.
_ONE_PLAN = (
    " -c plan_cache_mode=force_generic_plan -c jit=off -c max_parallel_workers_per_gather=0"
    " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)
#: How psycopg reads times, whatever the database or the role has set.
AS_PSYCOPG_READS = " -c DateStyle=ISO -c IntervalStyle=postgres"
#: A conflict with another transaction is tried again so often before the caller hears "unavailable".
TRANSACTION_TRIES = 8
#: Seconds until nobody waits any longer for a row that somebody else holds, and until only so many do as may wait long.
LOCK_PATIENCE, SHORT_PATIENCE = 3.0, 0.1

#: Exported by every process that has a database.
RETRIES = Counter(
    "roost_transaction_retries", "Transactions that were run once more, by why.", ["why"], registry=None
)


def read_url(url: str) -> ConnDict:
    """The parts of a libpq URL, by their names. Raises SettingMissing, which does not quote it: it holds a password."""
    try:
        return conninfo_to_dict(url)
    except (psycopg.ProgrammingError, UnicodeError):
        raise SettingMissing(
            "ROOST_DATABASE_URL is not of the form postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from None


def _configure(connection: Connection) -> None:
    read_every_time(connection)
    use_functions(connection)


@cache
def query(name: str) -> str:
    """The statement in `roost/queries/<name>.sql`, with what it includes: a condition that several statements share."""
    text = files("roost").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda found: query(found[1]), text)


class Conflicting(DatabaseUnavailable):
    """Other transactions hold the same rows, and go on doing so; the same may be asked again."""


class _LastUsedFirst(ConnectionPool[Connection]):
    """Hands out the connection that came back last; psycopg's own pool takes them in turn.

    A process of PostgreSQL that has just worked finds its plans and tables in the processor's caches. Those that are not needed are closed.
    """

    def _get_ready_connection(self, timeout: float | None) -> Connection | None:
        self._pool.rotate()  # the next is taken from the left, and what comes back is put to the right
        return super()._get_ready_connection(timeout)


class Database:
    """A pool of connections with deadlines on the server's side too.

    A worker that is stopped in mid-transaction loses it after `idle_limit` seconds, so that it neither holds
    a lock for others nor commits late when it wakes up. With `one_plan` a statement is planned once for all
    parameters, and looks everything up by key, however few rows there were when it was planned: right for the workers, whose
    few statements are written for it, and which run them all day. What is written with `bookkeeping` may be lost in a crash of
    PostgreSQL: nobody waits for the disk. With `long_waits` only so many statements at a time wait longer than moments for a row
    that others hold: a large import may hold the rows of many, who would take every thread of a worker.
    """

    _long_waits: threading.Semaphore | None = None

    def __init__(
        self, url: str, *, size: int = 4, idle_limit: float = 2, name: str = "roost", one_plan: bool = False,
        bookkeeping: bool = False, long_waits: int | None = None,
    ) -> None:  # fmt: skip
        given = read_url(url)
        limits = (
            f"-c lock_timeout={1000 * (LOCK_PATIENCE if long_waits is None else SHORT_PATIENCE):.0f}"
            " -c statement_timeout=15000"
            f"{AS_PSYCOPG_READS}"
            f"{_ONE_PLAN if one_plan else ''}"
            f"{' -c synchronous_commit=off' if bookkeeping else ''}"
            f" -c idle_in_transaction_session_timeout={idle_limit * 1000:.0f}"
        )
        conninfo = make_conninfo(
            url,
            connect_timeout=given.get("connect_timeout") or 3,
            application_name=name,
            options=f"{given.get('options') or ''} {limits}".strip(),
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )
        self._conninfo = conninfo
        if long_waits is not None:
            self._long_waits = threading.Semaphore(long_waits)
        self._pool = _LastUsedFirst(
            conninfo, min_size=1, max_size=size, open=True, timeout=3, kwargs={"autocommit": True},
            max_lifetime=3600, reconnect_timeout=5, num_workers=1, configure=_configure,
            check=self._check_alive,
        )  # fmt: skip

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def reach(self) -> None:
        """Connect once, on a connection of its own: the pool would try until its time is over, and not say why.

        Raises DatabaseUnavailable with what the server, or its absence, says, and WrongVersion.
        """
        try:
            with psycopg.connect(self._conninfo, autocommit=True) as connection:
                check_version(connection)
        except psycopg.OperationalError as error:
            why = why_not_reached(error)
            raise DatabaseUnavailable(f"({why}) {how_to_reach(why)}") from None

    def _check_alive(self, connection: Connection) -> None:
        """Raise when the server ended this connection while it lay in the pool, and throw out all that it ended with it.

        The server is asked only when it left us something to read, its goodbye as a rule: else this costs one system
        call. So nobody hears "unavailable" because of a server that went away and has come back.
        """
        try:
            waiting = select.poll()
            waiting.register(connection.fileno(), select.POLLIN)
            if waiting.poll(0):
                self._pool.check_connection(connection)
        except psycopg.Error:
            self._pool.check()
            raise

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit mode. Raises DatabaseUnavailable, or WrongVersion, DatabaseTooSlow, DatabaseReadOnly or RightMissing, which are such.

        So is Conflicting: a row that others hold for too long, say. What runs here is not tried again. Raises BadText for what
        PostgreSQL cannot hold, from whatever door it came.
        """
        try:
            with self._pool.connection() as connection:
                try:
                    yield connection
                except _MISSING:
                    check_version(connection)
                    raise
        except _CONFLICT as error:
            raise Conflicting from error
        except pg.QueryCanceled as error:
            raise DatabaseTooSlow from error
        except pg.ReadOnlySqlTransaction as error:
            raise DatabaseReadOnly from error
        except (PoolTimeout, *_LOST) as error:
            raise DatabaseUnavailable from error
        except pg.InsufficientPrivilege as error:
            raise RightMissing(
                f"({error.diag.message_primary}; `roost db roles` gives each kind of process its rights)"
            ) from None
        except (UnicodeEncodeError, pg.UntranslatableCharacter, pg.CharacterNotInRepertoire):
            raise BadText from None
        except pg.DataError as error:
            if error.sqlstate is None:  # raised by psycopg, which refuses to send a NUL
                raise BadText from None
            raise

    def statement(self, statement: str, parameters: Mapping[str, object]) -> TupleRow:
        """Run one statement that gives one row, in a transaction of its own; tried again as `transaction` is."""

        def work() -> TupleRow:
            with self.connection() as connection:
                row = connection.execute(statement, parameters).fetchone()
            assert row is not None  # so are these statements written
            return row

        return self._persist(work)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The database as it is at one moment: all that is read from it is of that moment. Raises DatabaseUnavailable."""
        with self.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield Snapshot(connection)

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction; a deadlock or a short lock timeout runs it again from the start.

        So does one lost connection: it may or may not have committed, so `work` must find out what it did before.
        Raises DatabaseUnavailable when PostgreSQL is away, after TRANSACTION_TRIES conflicts, or when others hold a row for LOCK_PATIENCE.
        """

        def whole() -> T:
            with self.connection() as connection, connection.transaction():
                return work(connection)

        return self._persist(whole)

    def _persist(self, work: Callable[[], T]) -> T:
        lost = 0
        ends, waits_long = time.monotonic() + LOCK_PATIENCE, False
        with ExitStack() as long_wait:
            for attempt in range(TRANSACTION_TRIES):
                try:
                    return work()
                except Conflicting as error:
                    if isinstance(error.__cause__, pg.LockNotAvailable):
                        waits_long = waits_long or self._may_wait_long(long_wait)
                        if not waits_long or time.monotonic() >= ends:
                            raise
                    RETRIES.labels("conflict").inc()
                    time.sleep(random.uniform(0, 0.005 * 2**attempt))
                except DatabaseTooSlow:
                    raise
                except DatabaseUnavailable:
                    lost += 1
                    if lost > 1:
                        raise
                    RETRIES.labels("lost").inc()
        raise Conflicting

    def _may_wait_long(self, until_then: ExitStack) -> bool:
        if self._long_waits is None:
            return True
        if not self._long_waits.acquire(blocking=False):
            return False
        until_then.callback(self._long_waits.release)
        return True


class Snapshot(Database):
    """What is read through it comes over one connection, in one transaction that sees one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The connection of the transaction."""
        yield self._connection
