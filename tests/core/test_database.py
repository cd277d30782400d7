"""Transactions of a worker that is frozen: PostgreSQL ends them, so that nobody waits for it."""

from __future__ import annotations

import time

from roost.database import Connection, Database
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
