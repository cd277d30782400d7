"""Nodes that serve some organizations hold their routes, and hear of nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from roost.database import Connection
from roost.directory import Directory
from roost.directory.errors import UnknownNode, UnknownOrganization
from roost.directory.node_scope import HomedElsewhere, read_scope, set_scope
from roost.nodes.routes import (
    Scope,
    announce,
    count_held,
    count_keys,
    everything,
    news_since,
    read_piece,
    sweep,
)
from roost.pbx.node import Gone, Key, Kind, key_of
from tests.cluster import wait_until
from tests.world import World


@pytest.fixture
def two(world: World) -> World:
    """Two organizations with a desk each on n1; n2 is homed by nobody."""
    world.office("001", "002")
    world.organization("0002")
    world.desk("001", organization="0002")
    world.node("n2")
    announce(world.database)
    return world


def scope_of(world: World, node: str) -> Scope:
    number = world.value("SELECT id FROM pbx_node WHERE name = %s", node)
    assert isinstance(number, int)
    return Scope(number, serves_all=read_scope(world.database, node) is None)


def held(world: World, node: str) -> set[str]:
    with world.database.connection() as connection:
        return {
            getattr(c, "extension", "") or getattr(c, "phone", "")
            for c in everything(connection, scope_of(world, node))
        }


def test_a_node_holds_only_what_it_serves(two: World) -> None:
    assert read_scope(two.database, "n2") is None
    set_scope(two.database, "n2", ["0002"])
    assert read_scope(two.database, "n2") == ["0002"]
    assert held(two, "n2") == {"0002*001", "desk0002-001"}
    assert len(held(two, "n1")) == 6
    assert two.value("SELECT resync FROM pbx_node WHERE name = 'n2'") is True


def test_pieces_of_any_size_come_to_what_a_node_holds(two: World) -> None:
    """Phones that speak for nobody among them: one out of use, and an extension without one."""
    for number in ("002", "003", "004"):
        two.desk(number, organization="0002", phone=number != "003")
    two.sql("UPDATE phone SET enabled = false WHERE name = 'desk0002-001'")
    for codes in (["0002"], ["0001", "0002"], None):
        set_scope(two.database, "n2", codes)
        scope = scope_of(two, "n2")
        with two.database.connection() as connection:
            whole = {key_of(change) for change in everything(connection, scope)}
            for size in (1, 2, 100):
                assert sorted(pieces_of(connection, scope, size)) == sorted(whole)
            assert count_keys(connection, scope) == len(whole) + 1, "who is out of use counts"


def test_what_a_node_may_hold_counts_what_was_taken_from_its_scope_or_removed(two: World) -> None:
    """Else what it holds of a large organization would be listed at once, as that of a small one is."""
    with two.database.connection() as connection:
        before = count_held(connection)
    set_scope(two.database, "n2", ["0002"])
    Directory(two.database).remove_organization("0001", with_everything=True)
    with two.database.connection() as connection:
        assert count_held(connection) >= before > count_keys(connection, scope_of(two, "n2"))


def pieces_of(connection: Connection, scope: Scope, size: int) -> list[Key]:
    keys: list[Key] = []
    kinds: tuple[Kind, ...] = ("e", "p")
    for kind in kinds:
        after = 0
        while piece := read_piece(connection, scope, kind, after, size):
            assert piece.changes
            keys += [key_of(change) for change in piece.changes]
            after = piece.last
    return keys


def test_a_change_wakes_only_whom_it_concerns_and_the_sweep_moves_the_rest_on(two: World) -> None:
    set_scope(two.database, "n2", ["0002"])
    two.sql(
        "UPDATE pbx_node SET applied_version = (SELECT max(version) FROM route), resync = false, seen_at = now()"
    )
    two.sit("001", "desk002")
    assert announce(two.database).nodes == ["n1"]
    assert sweep(two.database, 1000).nodes == [], "whoever was looked at is being told"
    assert sweep(two.database, 0).nodes == ["n1", "n2"]
    two.sql("UPDATE pbx_node SET kind = 'kamailio' WHERE name = 'n2'")
    two.sql("UPDATE pbx_node SET resync = false, seen_at = now() - interval '600 s'")
    assert sweep(two.database, 1000).nodes == ["n2"], "who forgets over a restart is looked at by each sweep"
    with two.database.connection() as connection:
        assert news_since(connection, 6, 10**9, scope_of(two, "n2")).changes == []


def test_a_phone_name_that_passes_to_another_organization_is_removed_where_only_the_first_is_served(
    two: World,
) -> None:
    set_scope(two.database, "n2", ["0001"])
    two.sql("DELETE FROM phone WHERE name = 'desk002'")
    two.sql("UPDATE phone SET name = 'desk002' WHERE name = 'desk0002-001'")
    announce(two.database)
    with two.database.connection() as connection:
        assert Gone("p", "desk002") in news_since(connection, 6, 10**9, scope_of(two, "n2")).changes


def test_a_phone_cannot_be_homed_where_its_organization_is_not_served(two: World) -> None:
    with pytest.raises(HomedElsewhere):
        set_scope(two.database, "n1", ["0001"])
    set_scope(two.database, "n2", ["0001"])
    with pytest.raises(Exception, match="does not serve"):
        two.sql(
            "UPDATE phone SET node_id = (SELECT id FROM pbx_node WHERE name = 'n2') WHERE name = 'desk0002-001'"
        )


def test_a_scope_that_changes_just_as_the_whole_table_is_sent_with_the_one_before_has_it_sent_again(
    two: World,
) -> None:
    set_scope(two.database, "n2", ["0001"])
    with ThreadPoolExecutor(1) as other:
        with two.database.connection() as push, push.transaction():
            push.execute("UPDATE pbx_node SET resync = false WHERE name = 'n2'")  # as a full send begins
            change = other.submit(set_scope, two.database, "n2", ["0001", "0002"])
            wait_until(lambda: change.done() or bool(two.value(_SOMEBODY_WAITS)), "the other one came so far")
        change.result()
    assert two.value("SELECT resync FROM pbx_node WHERE name = 'n2'") is True


_SOMEBODY_WAITS = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"


def test_a_scope_that_phones_need_can_be_widened_to_all(two: World) -> None:
    set_scope(two.database, "n1", ["0001", "0002"])
    set_scope(two.database, "n1", None)
    assert read_scope(two.database, "n1") is None


def test_mistakes_change_nothing(two: World) -> None:
    with pytest.raises(UnknownNode):
        set_scope(two.database, "n9", [])
    with pytest.raises(UnknownOrganization):
        set_scope(two.database, "n2", ["0002", "9999"])
    assert read_scope(two.database, "n2") is None


def test_a_removed_organization_leaves_no_node_that_serves_all_by_mistake(two: World) -> None:
    set_scope(two.database, "n2", ["0002"])
    two.sql("DELETE FROM organization WHERE code = '0002'")
    assert read_scope(two.database, "n2") == []
    assert held(two, "n2") == set()
