"""This program under a database that later releases have upgraded, and under one that waits for its upgrade."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from roost.database import Database
from roost.diagnosis.database import check_server
from roost.finding import Level
from roost.schema import Upgrade, upgrade_database
from roost.version import VERSION, ProgramBehind, functions_of
from tests.upgrades.catalogue import catalogue_of
from tests.upgrades.later_release import LaterRelease, run_program
from tests.upgrades.load import Load
from tests.world import World

#: Whatever a program does first: a command, a worker of each kind with a database, its health.
PROGRAMS = [
    ["workers.cli.main", "org", "list"],
    ["workers.bind"],
    ["workers.web"],
    ["workers.health", "bind"],
]


def test_a_program_goes_on_when_the_next_release_has_upgraded_its_database(
    world: World, tmp_path: Path
) -> None:
    url = world.settings.need("database_url")
    world.office("001", "002")
    assert world.sit("001", "desk002").outcome == "virtualized"  # over a connection that goes on, too
    LaterRelease(tmp_path, VERSION + 1).upgrade(url)

    assert world.bring_home("001").outcome == "returned"
    fresh = Database(url)
    assert World(fresh, world.settings).move("002", "desk001").outcome == "virtualized"
    fresh.close()
    assert {finding.check: finding.level for finding in check_server(url)}["schema"] is Level.NOTE
    found = catalogue_of(url)
    assert upgrade_database(url) == Upgrade(before=VERSION + 1, now=VERSION + 1)
    assert catalogue_of(url) == found
    told = run_program(["workers.cli.main", "db", "upgrade"], url)
    assert (told.returncode, told.stderr) == (0, "")
    assert "left it as it is" in told.stdout


def test_a_program_two_releases_behind_says_so_and_touches_nothing(world: World, tmp_path: Path) -> None:
    url = world.settings.need("database_url")
    world.office("001", "002")
    LaterRelease(tmp_path, VERSION + 2).upgrade(url)
    found = catalogue_of(url)
    assert not any(functions_of(VERSION) in line for line in found)

    with pytest.raises(ProgramBehind):
        world.move("001", "desk002")
    for argv in [*PROGRAMS, ["workers.cli.main", "db", "upgrade"]]:
        told = run_program(argv, url)
        assert told.returncode != 0, argv
        assert "The program is behind the database." in told.stderr, argv
        assert "install a newer Roost here" in told.stderr, argv
        assert len(told.stderr.splitlines()) == 1, argv
    assert catalogue_of(url) == found


def test_a_program_on_a_database_that_waits_for_its_upgrade_says_so(old_database: str) -> None:
    for argv in PROGRAMS:
        told = run_program(argv, old_database)
        assert told.returncode != 0, argv
        assert "The database is behind the program." in told.stderr, argv
        assert "run `roost db upgrade` here" in told.stderr, argv
        assert len(told.stderr.splitlines()) == 1, argv


def test_an_upgrade_lets_others_pass_while_a_long_transaction_holds_a_table(
    world: World, tmp_path: Path, load: Load
) -> None:
    url = world.settings.need("database_url")
    world.office("001", "002")
    later, done = LaterRelease(tmp_path, VERSION + 1), threading.Event()

    def upgrade() -> None:
        later.upgrade(url)
        done.set()

    def move() -> None:
        assert world.move("001", "desk002").outcome == "virtualized"
        assert world.bring_home("001").outcome == "returned"

    with psycopg.connect(url) as backup:
        backup.execute("SELECT count(*) FROM phone")
        load.add("mover", move)
        load.add("reader", lambda: world.value("SELECT count(*) FROM rings"))
        upgrading = threading.Thread(target=upgrade)
        upgrading.start()
        with psycopg.connect(url, autocommit=True) as watcher:
            for _ in range(3):
                load.until(lambda: watcher.execute(_UPGRADE_WAITS).fetchone() is not None)
                load.until(lambda: watcher.execute(_UPGRADE_WAITS).fetchone() is None)
        load.go_on()
        assert not done.is_set()
        backup.rollback()
        upgrading.join(60)
        load.end()
    assert done.is_set()
    assert load.failures == []
    assert len(world.journal()) == 2 * load.rounds["mover"]


_UPGRADE_WAITS = (
    "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'phone'::regclass"
)
