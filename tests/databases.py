"""The databases of tests: one is emptied and given to the next test, unless a test changed more of it than rows.

To make a database and drop it costs several times the processor time of most tests, which leave a few rows behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from localcluster.postgres import Postgres

_Connection = psycopg.Connection[tuple[Any, ...]]

#: So many tests are given the same database. Each leaves dead rows in PostgreSQL's catalogues.
_MOST = 100

#: Milliseconds for a session to end that a test left behind.
_PATIENCE = 5000
_LOOKS = 5
_END_SESSIONS = """
SELECT coalesce(bool_and(pg_terminate_backend(pid, %s)), true) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

#: PostgreSQL's catalogues by what tells the rows of the tables, functions and so on that are not its own (FirstNormalObjectId). A
#: row that was changed has another `xmin`. ANALYZE leaves rows in the last one.
_CATALOGUES = {
    "pg_attribute": "attrelid", "pg_attrdef": "oid", "pg_constraint": "oid", "pg_default_acl": "oid", "pg_event_trigger": "oid",
    "pg_extension": "oid", "pg_index": "indexrelid", "pg_policy": "oid", "pg_proc": "oid", "pg_rewrite": "oid",
    "pg_sequence": "seqrelid", "pg_trigger": "oid", "pg_type": "oid", "pg_statistic": "starelid",
}  # fmt: skip
#: All that a database is but rows: equal texts, equal databases. A table that was emptied has other files, and VACUUM says how many
#: rows a table has. PostgreSQL keeps the schemas of temporary tables.
_MADE_OF = f"""
SELECT concat_ws(' ', {
    ", ".join(
        f"(SELECT count(*) || '/' || coalesce(sum(xmin::text::bigint), 0) FROM {catalogue} WHERE {key} >= 16384)"
        for catalogue, key in _CATALOGUES.items()
    )
},
    (SELECT count(*) || '/' || sum(xmin::text::bigint) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'),
    (SELECT sum(hashtextextended((c.oid, relname, relowner, relkind = 'r' AND reltuples < 0, relkind, relchecks, relhasrules, relhastriggers, relacl, reloptions)::text, 0))
     FROM pg_class c WHERE c.oid >= 16384),
    (SELECT xmin FROM pg_database WHERE datname = current_database()),
    (SELECT array_agg((setrole, setconfig)) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase AND datname = current_database()),
    (SELECT array_agg(v) FROM roost_version v))
"""
#: A table that a row was ever put into has a page.
_USED = """
SELECT relname, pg_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'roost_version' AND pg_relation_size(oid) > 0
"""
#: More bytes than these in all tables are sooner dropped than cleaned.
_LARGE = 1_000_000
#: The files of a table are as long as they were when it was made; those of its indexes need not be.
_VACUUM = "VACUUM (INDEX_CLEANUP ON, TRUNCATE ON, SKIP_DATABASE_STATS) {}"
#: As of a table that was never filled: VACUUM has noted that it has no rows, and the planner believes it.
_FORGET = "UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0, relallfrozen = 0 WHERE relname = ANY (%s)"
_FROM_THE_START = "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"


class Databases:
    """Databases of one server, copied from `template`, which has Roost's schema and no rows. One is lent at a time."""

    def __init__(self, server: Postgres, template: str, *, name: str = "test") -> None:
        self._server = server
        self._template = template
        self._kind = name
        self._made = 0
        self._lent = 0
        #: Stays open from test to test: what it asks is planned once.
        self._connection: _Connection | None = None
        self._made_of = ""

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The URL of a database that nobody uses."""
        connection = self._connection or self._make()
        self._lent += 1
        yield self._server.url(self._name)
        if self._lent >= _MOST or not self._emptied(connection):
            self.close()

    def close(self) -> None:
        """Drop the database that is kept."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._server.drop_database(self._name)

    @property
    def _name(self) -> str:
        return f"{self._kind}_{self._made}"

    def _make(self) -> _Connection:
        self._made += 1
        self._lent = 0
        url = self._server.create_database(self._name, template=self._template)
        self._connection = psycopg.connect(url, autocommit=True)
        self._made_of = _one(self._connection, _MADE_OF)
        _count_anew(self._connection)
        return self._connection

    def _emptied(self, connection: _Connection) -> bool:
        """End every session and remove every row; False where that is not worth it, or does not make the database as it was."""
        try:
            # Of one that ends by itself just now PostgreSQL says that it could not end it: it is looked again.
            ended = any(_one(connection, _END_SESSIONS, _PATIENCE) for _ in range(_LOOKS))
            if not ended or _one(connection, _MADE_OF) != self._made_of:
                return False
        except psycopg.OperationalError:  # a test ended all sessions, this one with them
            return False
        used: dict[str, int] = dict(connection.execute(_USED).fetchall())
        if sum(used.values()) > _LARGE:
            return False
        if used:
            # As TRUNCATE would, for a tenth of its time: that makes each file of all tables that refer to these anew.
            names = [sql.Identifier(name) for name in used]
            with connection.transaction():
                connection.execute(
                    "SET LOCAL session_replication_role = replica"
                )  # no trigger, no foreign key
                connection.execute(
                    sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(name) for name in names)
                )
            connection.execute(sql.SQL(_VACUUM).format(sql.SQL(", ").join(names)))
            connection.execute(_FORGET, (list(used),))
        connection.execute(_FROM_THE_START)
        _count_anew(connection)
        return True


def _count_anew(connection: _Connection) -> None:
    """Forget how often each table was read and written; this session, too, tells what it did only now and then."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT pg_stat_reset()")


def _one(connection: _Connection, statement: str, *parameters: object) -> Any:
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None  # so are these statements written
    return row[0]
