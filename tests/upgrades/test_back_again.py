"""Who upgraded the database can go back: 0.1.0 starts on it, and finds what was done meanwhile."""

from __future__ import annotations

import re

import psycopg

from roost.database import Database
from roost.schema import upgrade_database
from roost.settings import Settings
from tests.upgrades import old_program
from tests.upgrades.catalogue import catalogue_of
from tests.upgrades.old_program import OldProgram
from tests.world import World, new_id


def test_the_release_before_starts_on_an_upgraded_database_and_finds_what_the_new_one_did(
    old_database: str, settings: Settings
) -> None:
    with OldProgram(old_database) as before:
        before.announce()
        before.push()
    upgrade_database(old_database)
    new, repeated = Database(old_database), new_id()
    world = World(new, settings)
    assert world.move("001", "desk002").outcome == "virtualized"
    assert world.move("003", "desk004").outcome == "virtualized"
    assert world.bring_home("003", request_id=repeated).outcome == "returned"
    new.close()

    upgraded = catalogue_of(old_database)
    old_program.check_schema(old_database)
    old_program.upgrade_database(old_database)
    assert catalogue_of(old_database) == upgraded
    with OldProgram(old_database) as after:
        assert after.dial(new_id(), "desk002", "003") == "occupied"
        assert after.dial(new_id(), "desk002", "") == "returned"
        assert after.dial(repeated, "desk004", "") == "returned"  # what the new program wrote down
        assert after.set_code(new_id(), "005", None) == "code_cleared"
        assert after.dial(new_id(), "desk006", "005") == "no_code"
        assert after.look() == 20
        after.announce()
        after.push()
        assert after.told["e/0001*001"] == "desk001"


def test_every_statement_of_the_release_before_is_understood_after_the_upgrade(old_database: str) -> None:
    assert not_understood(old_database) == set()
    upgrade_database(old_database)
    assert not_understood(old_database) == set()


def not_understood(url: str) -> set[str]:
    """The statements of 0.1.0 that PostgreSQL cannot prepare, as when something that they name is not there."""
    with psycopg.connect(url, autocommit=True) as connection:
        for temporary in ("stage_import", "compare_import"):
            connection.execute(old_program.query(temporary).replace("ON COMMIT DROP", ""))
        return {
            path.stem
            for path in (old_program.RELEASE / "queries").iterdir()
            if connection.pgconn.prepare(b"", _numbered(path.read_text()).encode()).error_message
        }


def _numbered(statement: str) -> str:
    """With PostgreSQL's $1 for psycopg's %(name)s."""
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"%\((\w+)\)s", place, statement).replace("%%", "%")
