"""A test finds nothing of the one before it, whatever that one did to its database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg

from localcluster.postgres import Postgres
from roost.database import Database
from roost.settings import Settings
from tests.databases import Databases
from tests.upgrades.catalogue import catalogue_of
from tests.world import World


@pytest.fixture(scope="module")
def databases(postgres: Postgres) -> Iterator[Databases]:
    """As the session's own, beside them."""
    databases = Databases(postgres, "template_roost", name="other")
    yield databases
    databases.close()


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            answer = connection.execute(statement)
        return answer.fetchall() if answer.description else []


#: What cannot be told from the catalogue alone.
_STATE = """
SELECT (SELECT array_agg(v.version) FROM roost_version v), (SELECT setting FROM pg_settings WHERE name = 'work_mem'),
       (SELECT sum(seq_scan + idx_scan + n_tup_ins) FROM pg_stat_user_tables), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'),
       (SELECT count(*) FROM pg_stats WHERE schemaname = 'public'),
       (SELECT array_agg(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname <> 'roost_version'
          AND relkind = 'r' AND (pg_relation_size(oid) > 0 OR reltuples >= 0))
"""


def state_of(url: str) -> object:
    state = execute(
        url, _STATE
    )  # first: what the catalogue reads is counted when that session ends, which takes a moment
    return state, catalogue_of(url)


def next_ids(url: str) -> set[int]:
    """Of every table that numbers its rows."""
    return {number for (number,) in execute(url, "SELECT nextval(seqrelid) FROM pg_sequence")}


def test_rows_go_and_the_database_stays(databases: Databases, settings: Settings) -> None:
    with databases.lend() as first:
        new = state_of(first)
    with databases.lend() as url:
        pool = Database(url, size=1)
        world = World(pool, settings)
        world.office("001", "002")
        world.sit("001", "desk002")
        pool.close()
        with pytest.raises(pg.CheckViolation):  # its table stays empty, and its sequence goes on
            execute(url, "INSERT INTO person (login, role, password_hash) VALUES ('', '', '')")
        assert execute(url, "SELECT last_value FROM pg_sequences WHERE sequencename = 'person_id_seq'") == [
            (1,)
        ]
        execute(url, "CREATE TEMP TABLE mine ()", "INSERT INTO mine DEFAULT VALUES")
    with databases.lend() as again:
        assert again == url == first
        assert state_of(again) == new
        assert next_ids(again) == {1}


def test_sessions_end_with_their_locks(databases: Databases) -> None:
    with databases.lend() as url:
        new = state_of(url)
        left = psycopg.connect(url)
        left.execute("SELECT pg_advisory_lock(7)")
        left.execute("INSERT INTO organization (code) VALUES ('0001')")
    with pytest.raises(pg.AdminShutdown):
        left.execute("COMMIT")
    left.close()
    with databases.lend() as again:
        assert again == url
        assert state_of(again) == new


def test_sessions_that_end_by_themselves_cost_nobody_the_database(databases: Databases) -> None:
    given = set()
    for _ in range(10):
        with databases.lend() as url:
            given.add(url)
            for session in [psycopg.connect(url) for _ in range(5)]:
                session.close()  # its process ends some time later
    assert len(given) == 1


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE mine ()",),
        ("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
        ("CREATE SCHEMA mine",),
        ("CREATE EXTENSION pg_buffercache",),
        ("ALTER TABLE phone DISABLE TRIGGER USER",),
        ("ALTER TABLE phone ALTER COLUMN name DROP NOT NULL",),
        ("ALTER TABLE organization DROP CONSTRAINT organization_name_check",),
        ("ALTER FUNCTION send_home RENAME TO mine",),
        ("DROP INDEX journal_by_time",),
        (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ),
        ("INSERT INTO route_dirty SELECT repeat('x', 100), i FROM generate_series(1, 20000) i",),
        ("GRANT SELECT ON person TO roost_push",),
        ("GRANT SELECT (login) ON person TO roost_push",),
        ("ALTER DATABASE {} SET work_mem = '7MB'",),
        ("INSERT INTO roost_version VALUES (999)",),
        ("INSERT INTO organization (code) VALUES ('0001')", "ANALYZE organization"),
        ("INSERT INTO organization (code) VALUES ('0001')", "VACUUM organization"),
    ],
)
def test_who_changes_more_than_rows_is_the_last_in_that_database(
    databases: Databases, statements: tuple[str, ...]
) -> None:
    with databases.lend() as url:
        new = state_of(url)
        name = url.rpartition("/")[2]
        execute(url, *(statement.format(name) for statement in statements))
    with databases.lend() as another:
        assert another != url
        assert state_of(another) == new
