"""What a worker asks costs the same after a day as after a minute: no statement reads a table from end to end."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from roost.database import Database
from roost.nodes.routes import announce, news_since, read_head
from roost.settings import Settings
from tests.world import World

#: What every request, announcement or push looks into. They are empty when the statements are planned.
_GROW = ("journal", "call", "route", "phone", "extension", "organization")


@pytest.fixture
def worker(database_url: str, settings: Settings) -> Iterator[World]:
    """A worker whose connection is as old as the cluster: it planned its statements when the tables were known to be empty."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    pool = Database(database_url, size=1, one_plan=True)
    yield World(pool, settings)
    pool.close()


def read_from_end_to_end(worker: World) -> dict[str, int]:
    """How many times each table was, so far."""
    with worker.database.connection() as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
    with worker.database.connection() as connection:
        found = connection.execute("SELECT relname, seq_scan FROM pg_stat_user_tables").fetchall()
    return {name: scans for name, scans in found if name in _GROW}


def test_no_request_and_no_push_reads_a_whole_table(worker: World) -> None:
    def a_while() -> None:
        for phone in ("desk002", "desk003") * 3:
            assert worker.key(phone, "001", "0000").outcome == "wrong_code"
            assert worker.sit("001", phone).outcome == "virtualized"
            assert worker.bring_home("001").outcome == "returned"
            with worker.database.connection() as connection:
                before = read_head(connection).version
            announce(worker.database)
            with worker.database.connection() as connection:
                assert news_since(connection, before, 10**9).changes

    worker.office("001", "002", "003")
    a_while()
    before = read_from_end_to_end(worker)
    a_while()
    assert read_from_end_to_end(worker) == before
