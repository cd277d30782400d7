"""What a frozen worker or a PostgreSQL that went away leaves behind: nothing that others wait for, or trip over."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

import pytest

from localcluster.postgres import Postgres
from roost.database import LOCK_PATIENCE, Conflicting, Connection, Database
from roost.errors import DatabaseReadOnly, DatabaseUnavailable
from tests.cluster import wait_until
from tests.world import World


def test_a_transaction_whose_worker_is_frozen_holds_no_lock(world: World, database_url: str) -> None:
    world.office("001")
    frozen = Database(database_url, size=1, idle_limit=1)
    waited: list[float] = []

    def work(connection: Connection) -> None:
        connection.execute("SELECT id FROM extension FOR UPDATE").fetchone()
        if waited:
            return
        begun = time.monotonic()
        wait_until(
            lambda: world.value("SELECT count(*) FROM pg_locks WHERE mode = 'RowShareLock'") == 0,
            "no lock is held",
            8,
        )
        waited.append(time.monotonic() - begun)
        connection.execute("SELECT 1").fetchone()

    frozen.transaction(work)
    frozen.close()
    assert waited[0] < 5


def test_the_connection_that_came_back_last_is_used_next(database_url: str) -> None:
    database = Database(database_url, size=2)
    with database.connection() as last, database.connection() as first:
        warm = last.info.backend_pid
        assert first.info.backend_pid != warm
    for _ in range(3):
        with database.connection() as connection:
            assert connection.info.backend_pid == warm
    database.close()


def test_a_postgresql_that_takes_no_changes_is_unavailable(world: World, database_url: str) -> None:
    """A standby, or one that was set so, as some are when their disk is full: it passes, so the same may be asked again."""
    standby = Database(
        f"{database_url}{'&' if '?' in database_url else '?'}options=-c%20default_transaction_read_only%3Don"
    )
    with pytest.raises(DatabaseReadOnly), standby.connection() as connection:
        connection.execute("DELETE FROM journal")
    with pytest.raises(DatabaseReadOnly):
        standby.transaction(lambda connection: connection.execute("DELETE FROM journal"))
    standby.close()


def test_a_row_that_others_hold_is_unavailable_outside_a_transaction_too(
    world: World, database_url: str
) -> None:
    world.office("001")
    hasty = Database(database_url, size=1)
    with world.database.connection() as holder, holder.transaction():
        holder.execute("SELECT FROM extension FOR UPDATE")
        with hasty.connection() as connection:
            connection.execute("SET lock_timeout = '10ms'")
        with pytest.raises(DatabaseUnavailable, match="hold the same rows"), hasty.connection() as connection:
            connection.execute("UPDATE extension SET name = 'A'")
    with hasty.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    hasty.close()


def test_only_so_many_wait_long_for_rows_that_others_hold(world: World, database_url: str) -> None:
    world.office("001")
    rename = "UPDATE extension SET name = %(name)s RETURNING name"
    patient = Database(database_url, size=3, long_waits=1)
    with ThreadPoolExecutor(2) as others:
        with world.database.connection() as holder, holder.transaction():
            holder.execute("SELECT FROM extension FOR UPDATE")
            asked = [others.submit(patient.statement, rename, {"name": name}) for name in "AB"]
            given_up, waiting = wait(asked, LOCK_PATIENCE / 2, FIRST_COMPLETED)
            assert [type(one.exception()) for one in given_up] == [Conflicting]
            assert len(waiting) == 1, "one waits on"
        (patient_one,) = waiting
        assert patient_one.result(LOCK_PATIENCE)[0] in {"A", "B"}
        assert patient.statement(rename, {"name": "C"}) == ("C",)
    patient.close()


def test_nobody_waits_for_ever_for_a_row_that_others_hold(world: World, database_url: str) -> None:
    world.office("001")
    begun = time.monotonic()
    with world.database.connection() as holder, holder.transaction():
        holder.execute("SELECT FROM extension FOR UPDATE")
        with pytest.raises(Conflicting):
            world.database.statement("UPDATE extension SET name = 'A' RETURNING name", {})
    assert time.monotonic() - begun < 2 * LOCK_PATIENCE


def test_a_server_that_came_back_is_not_unavailable(tmp_path: Path) -> None:
    """Every connection of the pool ended with the old server; the next one who asks is given a new one."""
    with Postgres(tmp_path / "postgres") as server:
        pool = Database(server.url(), size=4)
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(pool.connection()).execute("SELECT 1")
        server.kill()
        server.start()
        for _ in range(4):
            with pool.connection() as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        pool.close()
