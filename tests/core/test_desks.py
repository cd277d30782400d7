"""The desks of an organization: found by number, name and phone, and counted."""

from __future__ import annotations

import pytest

from roost.nodes.routes import announce
from roost.views.changed_desks import read_changed_desks
from roost.views.desks import count_desks, read_desks, read_desks_of
from tests.world import World


@pytest.fixture
def desks(world: World) -> World:
    """Six desks: 003 sits at 001's phone; 004 is disabled, 005 has no phone, and 006's phone is out of use. And another organization."""
    world.office()
    for number, name in (
        ("001", "Ana Pop"), ("002", "Bogdan O'Neill"), ("003", "Jean-Luc Ana"), ("004", "Dora"), ("006", "Élise"),
    ):  # fmt: skip
        world.desk(number, name=name)
    world.desk("005", phone=False, name="")
    world.organization("0002")
    world.desk("001", organization="0002", name="Ana Pop")
    world.sit("003", "desk001")
    world.sql("UPDATE extension SET enabled = false WHERE number = '004'")
    world.sql("UPDATE phone SET enabled = false WHERE name = 'desk006'")
    return world


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["001", "002", "003", "004", "005", "006"]),
        ("00", ["001", "002", "003", "004", "005", "006"]),
        ("002", ["002"]),
        ("003", ["001", "003"]),
        ("ana", ["001", "003"]),
        ("Ana P", ["001"]),
        ("luc", ["001", "003"]),
        ("o'n", ["002"]),
        ("éli", ["006"]),
        ("desk00", ["001", "002", "003", "004", "006"]),
        ("DESK006", ["006"]),
        ("desk_06", []),
        ("%", []),
        ("&!", []),
        ("na", []),
    ],
)  # fmt: skip
def test_a_search_finds_how_numbers_words_of_names_and_phones_begin(
    desks: World, search: str, found: list[str]
) -> None:
    part = read_desks(desks.database, "0001", search=search)
    assert [desk.number for desk in part.desks] == found


def test_the_counts_say_what_the_desks_say(desks: World) -> None:
    desks.sql("UPDATE pbx_node SET failures = 1")
    part = read_desks(desks.database, "0001")
    assert part.counts == count_desks(desks.database, "0001")
    assert (part.counts.desks, part.counts.away, part.counts.unreachable, part.counts.cut_off) == (6, 1, 4, 5)


def test_a_move_names_the_desks_that_it_changed(desks: World) -> None:
    announce(desks.database)
    version = read_changed_desks(desks.database, "0001", 0).version
    desks.sit("002", "desk003")
    announce(desks.database)
    changed = read_changed_desks(desks.database, "0001", version)
    assert sorted(changed.numbers) == ["002", "003"]
    assert not changed.more
    assert read_changed_desks(desks.database, "0002", version).numbers == []
    assert [desk.guest for desk in read_desks_of(desks.database, "0001", ["003", "099"])] == ["002"]
