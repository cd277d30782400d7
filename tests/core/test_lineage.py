"""The lineage of a database: what a node's cursor is compared with, so that a promoted copy is told apart at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from localcluster.postgres import Postgres
from localcluster.standby import Standby
from roost.database import Database
from roost.nodes.routes import read_head
from roost.schema import init_database
from tests.conftest import NO_POWER_CUT
from tests.memory import folder_in_memory
from tests.world import World


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Postgres]:
    with folder_in_memory(tmp_path / "primary") as folder, Postgres(folder, options=NO_POWER_CUT) as server:
        yield server


@pytest.fixture
def standby(tmp_path: Path, primary: Postgres) -> Iterator[Standby]:
    with (
        folder_in_memory(tmp_path / "standby") as folder,
        Standby(folder, primary, options=NO_POWER_CUT) as server,
    ):
        yield server


def lineage_of(url: str) -> str:
    database = Database(url, size=1)
    try:
        with database.connection() as connection:
            return read_head(connection).lineage
    finally:
        database.close()


def test_a_promoted_standby_is_of_another_lineage_before_its_first_checkpoint_is_through(
    primary: Postgres, standby: Standby
) -> None:
    """What the standby took over is still to be written then, at the pace of a checkpoint that nobody hurries."""
    standby.wait_for_each_commit()
    url = primary.create_database("roost")
    init_database(url)
    before = lineage_of(url)
    assert lineage_of(standby.url("roost")) == before
    primary.kill()
    standby.promote()
    server, timeline, database = before.split(".")
    assert lineage_of(standby.url("roost")) == f"{server}.{int(timeline) + 1}.{database}"
    with psycopg.connect(standby.url()) as connection:
        assert connection.execute("SELECT timeline_id FROM pg_control_checkpoint()").fetchone() == (
            int(timeline),
        )


def test_the_lineage_of_a_database_that_was_never_promoted_is_what_it_was_in_the_release_before(
    world: World,
) -> None:
    """Else every node would be sent everything when it is upgraded."""
    with world.database.connection() as connection:
        found = read_head(connection).lineage
    assert found == world.value(
        "SELECT system_identifier || '.' || timeline_id || '.' || (SELECT oid FROM pg_database WHERE datname = current_database())"
        " FROM pg_control_system(), pg_control_checkpoint()"
    )
