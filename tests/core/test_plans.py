"""What a worker asks costs the same after a day as after a minute: no statement reads a table, or an index, from end to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.world import populate
from roost.database import Database
from roost.nodes.routes import announce, news_since, read_head
from roost.settings import Settings
from tests.world import World

#: What every request, announcement or push looks into. They are empty when the statements are planned.
_GROW = ("journal", "call", "route", "phone", "extension", "organization")


@pytest.fixture(params=[0, 5_000], ids=["empty", "nobody_away"])
def worker(request: pytest.FixtureRequest, database_url: str, settings: Settings) -> Iterator[World]:
    """A worker whose connection is as old as the cluster: it plans its statements while the tables, or all phones, are known to be empty."""
    populate(database_url, settings, request.param)
    pool = Database(database_url, size=1, one_plan=True)
    yield World(pool, settings)
    pool.close()


#: An index of a part of a table, which looked empty too, can be read whole instead of looking a row up by its key.
_SCANS = """
SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY (%s)
UNION ALL
SELECT indexrelname, idx_scan FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid) WHERE indpred IS NOT NULL
"""


def read_from_end_to_end(worker: World) -> dict[str, int]:
    """How many times each table was, and each index of a part of one, so far."""
    with worker.database.connection() as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
    with worker.database.connection() as connection:
        return dict(connection.execute(_SCANS, (list(_GROW),)).fetchall())


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

    worker.node()
    for number in ("001", "002", "003"):
        worker.desk(number)
    a_while()
    before = read_from_end_to_end(worker)
    a_while()
    assert read_from_end_to_end(worker) == before
