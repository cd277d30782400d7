"""The change log: nothing is forgotten, whoever writes, and versions are dense and in commit order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from roost.database import Database
from roost.nodes.routes import announce, everything, news_since, read_head
from roost.pbx.node import ActsAs, Gone, Rings
from tests.world import World


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003")
    announce(world.database)
    return world


def news(world: World) -> dict[str, object]:
    """What changed since the last look, as a node would be told."""
    with world.database.connection() as connection:
        before = read_head(connection).version
    announce(world.database)
    with world.database.connection() as connection:
        changes = news_since(connection, before, 10**9).changes
    return {
        c.extension if isinstance(c, Rings) else c.phone if isinstance(c, ActsAs) else c.key: c
        for c in changes
    }


def test_a_move_tells_of_the_guest_the_host_and_the_phone(office: World) -> None:
    office.sit("001", "desk002")
    told = news(office)
    assert told["0001*001"] == Rings("0001*001", "n1", "desk002")
    assert told["0001*002"] == Rings("0001*002", None, None)
    phone = told["desk002"]
    assert isinstance(phone, ActsAs)
    assert (phone.number, phone.name, phone.account_code, phone.base) == (
        "001",
        "Person 001",
        "0001-001",
        "002",
    )
    assert set(told) == {"0001*001", "0001*002", "desk002"}


@pytest.mark.parametrize(
    ("statement", "key", "expected"),
    [
        ("UPDATE extension SET name = 'New' WHERE number = '001'", "desk001", "New"),
        ("UPDATE extension SET number = '009' WHERE number = '001'", "0001*001", Gone("e", "0001*001")),
        (
            "UPDATE extension SET number = '009' WHERE number = '001'",
            "0001*009",
            Rings("0001*009", "n1", "desk001"),
        ),
        ("UPDATE organization SET code = '7'", "7*002", Rings("7*002", "n1", "desk002")),
        ("UPDATE organization SET code = '7'", "0001*002", Gone("e", "0001*002")),
        ("UPDATE organization SET enabled = false", "desk003", Gone("p", "desk003")),
        ("UPDATE pbx_node SET name = 'x'", "0001*003", Rings("0001*003", "x", "desk003")),
        ("UPDATE phone SET name = 'y' WHERE name = 'desk001'", "desk001", Gone("p", "desk001")),
        ("UPDATE phone SET name = 'y' WHERE name = 'desk001'", "0001*001", Rings("0001*001", "n1", "y")),
        ("DELETE FROM phone WHERE name = 'desk001'", "desk001", Gone("p", "desk001")),
        ("DELETE FROM phone WHERE name = 'desk001'", "0001*001", Rings("0001*001", None, None)),
        ("DELETE FROM extension WHERE number = '003'", "0001*003", Gone("e", "0001*003")),
        ("DELETE FROM extension WHERE number = '003'", "desk003", Gone("p", "desk003")),
        ("DELETE FROM organization", "0001*001", Gone("e", "0001*001")),
        ("DELETE FROM organization", "desk001", Gone("p", "desk001")),
    ],
)
def test_no_writer_can_forget(office: World, statement: str, key: str, expected: object) -> None:
    office.sql(statement)
    told = news(office)[key]
    assert (told.name if isinstance(told, ActsAs) else told) == expected


def test_the_emergency_identity_stays_the_phones(office: World) -> None:
    office.sql(
        "UPDATE phone SET emergency_number = '+49301', emergency_location = 'Room 2' WHERE name = 'desk002'"
    )
    office.sit("001", "desk002")
    phone = news(office)["desk002"]
    assert isinstance(phone, ActsAs)
    assert (phone.number, phone.emergency_number, phone.emergency_location) == ("001", "+49301", "Room 2")


def test_a_slow_transaction_holds_up_nobody_and_is_not_skipped(office: World, database_url: str) -> None:
    slow = Database(database_url, size=1, idle_limit=60)
    with slow.connection() as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE extension SET name = 'Slow' WHERE number = '001'")
        office.sit("003", "desk002")
        assert "0001*003" in news(office)
        connection.execute("COMMIT")
    assert "desk001" in news(office)
    slow.close()


def test_versions_are_dense_though_many_announce_at_once(office: World) -> None:
    def rename(number: int) -> int:
        office.sql("UPDATE extension SET name = %s WHERE number = %s", f"N{number}", f"00{number % 3 + 1}")
        return announce(office.database).numbered

    with office.database.connection() as connection:
        before = read_head(connection).version
    with ThreadPoolExecutor(6) as many:
        numbered = sum(many.map(rename, range(60)))
    with office.database.connection() as connection:
        assert read_head(connection).version == before + numbered
    assert office.value("SELECT count(*) FROM route_dirty") == 0


def test_the_whole_table_is_what_the_changes_add_up_to(office: World) -> None:
    office.sit("001", "desk002")
    announce(office.database)
    with office.database.connection() as connection:
        assert set(everything(connection)) == set(news_since(connection, 0, 10**9).changes)
