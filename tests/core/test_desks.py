"""The desks of an organization: found by number, name and phone, and counted."""

from __future__ import annotations

import asyncio

import pytest

from roost.nodes.routes import announce
from roost.people.access import Asker, Right
from roost.people.revocation import Credential
from roost.views.changed_desks import read_changed_desks
from roost.views.desks import count_desks, read_desks, read_desks_of
from tests.world import World
from workers.web.live.desk_cards import render_desks
from workers.web.live.desk_counts import DeskCounting
from workers.web.live.desks import WatchedDesks
from workers.web.live.hub import stamp_of
from workers.web.live.stream import Viewer, Watching


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


_AGENTS = """
INSERT INTO extension (organization_id, number, name)
SELECT id, (1000 + i)::text, CASE i %% 50 WHEN 0 THEN 'Big-Agent ' || i WHEN 1 THEN 'Reagent ' || i ELSE 'Agent ' || i END
FROM organization, generate_series(1, 230) i WHERE code = '0001'
"""


#: Each sits at a phone of its own kind, and is found by nothing that is searched for.
_MANY_GUESTS = """
WITH made AS (
    INSERT INTO extension (organization_id, number, name, allows_virtualization)
    SELECT id, (70000 + i)::text, 'x', true FROM organization, generate_series(1, 300) i WHERE code = '0001' RETURNING id, number, organization_id)
INSERT INTO phone (organization_id, name, node_id, base_id, guest_id, guest_since)
SELECT b.organization_id, 'y' || b.number, (SELECT min(id) FROM pbx_node), b.id, g.id, now()
FROM made b JOIN made g ON g.number::int = b.number::int + 150
"""


def test_words_of_most_names_are_found_like_those_of_few(desks: World) -> None:
    desks.sql(_AGENTS)
    agents = [str(1000 + i) for i in range(1, 231) if i % 50 != 1]

    def found(search: str, part: int = 1) -> list[str]:
        return [desk.number for desk in read_desks(desks.database, "0001", search=search, part=part).desks]

    assert found("agent") + found("AGENT", 2) == agents
    assert found("agent", 3) == []
    assert found("Agent 22") == ["1022", *(str(1000 + i) for i in range(220, 230))]
    assert found("big agent") == ["1050", "1100", "1150", "1200"]
    assert found("agent ana") == []


def test_guests_are_found_alike_whether_few_sit_or_many(desks: World) -> None:
    """While there are few, they are compared themselves; else those that are found are looked up."""
    desks.sql(_AGENTS)
    searches = ("003", "ana", "luc", "agent 22", "10", "1", "desk001", "o'n")

    def found() -> list[list[str]]:
        return [
            [desk.number for desk in read_desks(desks.database, "0001", search=text).desks]
            for text in searches
        ]

    few = found()
    assert few[:2] == [["001", "003"]] * 2
    desks.sql(_MANY_GUESTS)
    assert found() == few


def test_the_counts_say_what_the_desks_say(desks: World) -> None:
    desks.sql("UPDATE pbx_node SET failures = 1")
    part = read_desks(desks.database, "0001")
    assert part.counts == count_desks(desks.database, "0001")
    assert (part.counts.desks, part.counts.away, part.counts.unreachable, part.counts.cut_off) == (6, 1, 4, 5)


def test_a_move_names_the_desks_that_it_changed(desks: World) -> None:
    announce(desks.database)
    now = read_changed_desks(desks.database, "0001", None, [])
    assert now.numbers == [], "how far the log is, and nothing of what it was before"
    desks.sit("002", "desk003")
    announce(desks.database)
    changed = read_changed_desks(desks.database, "0001", now.version, ["002"])
    assert sorted(changed.numbers) == ["002", "003"]
    assert read_changed_desks(desks.database, "0002", now.version, ["001"]).numbers == []
    assert [desk.guest for desk in read_desks_of(desks.database, "0001", ["003", "099"])] == ["002"]


def test_of_very_many_changes_those_of_the_desks_on_a_page_are_named(
    desks: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(desks.database)
    now = read_changed_desks(desks.database, "0001", None, [])
    desks.sit("002", "desk003")
    desks.sql("UPDATE extension SET enabled = false WHERE name = 'Ana Pop'")  # in both organizations
    announce(desks.database)
    monkeypatch.setattr("roost.views.changed_desks.MOST", 1)
    changed = read_changed_desks(desks.database, "0001", now.version, ["002", "004", "005", "099"])
    assert changed.numbers == ["002"]
    assert changed.version > now.version


def test_who_watches_is_told_what_changed_since_the_page_was_read_and_nothing_is_counted_before(
    desks: World,
) -> None:
    counting = DeskCounting(desks.database)
    watched = WatchedDesks(desks.database, "0001", counting)
    watched.look()
    watched.tell(set())
    assert not counting.is_small("0001"), "nobody is told of the first look, so it counts nothing"

    async def told() -> list[str]:
        viewer = Viewer(Watching(Credential(b"", Asker("person:1", "ana", "web", Right.READ)), ""))
        part = read_desks(desks.database, "0001")
        watched.add(viewer, part, stamp_of(render_desks(part.desks, part.counts, "0001")))
        desks.sit("002", "desk003")
        announce(desks.database)
        for _ in range(2):
            watched.look()
            watched.tell({viewer})
        viewer.end()
        return [message async for message in viewer.messages(10)]

    _, change = asyncio.run(told())
    assert "event: change" in change
    assert 'id="desk-002"' in change
    assert 'id="desk-003"' in change
    assert 'id="desk-004"' not in change
    counting.close()
