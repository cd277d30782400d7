"""What concerns all extensions of a large organization goes in steps: others move meanwhile, and whoever comes goes on after a crash."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from roost.database import Connection, Database
from roost.directory import Directory
from roost.directory.errors import OrganizationIsRemoved, UnknownOrganization
from roost.directory.organization_steps import STEP, steps_left, take_some_steps, take_steps
from roost.errors import DatabaseTooSlow
from roost.moves.ending_stays import Stays
from roost.nodes.routes import announce, news_since
from roost.pbx.node import Gone, Rings
from tests.world import World

#: More than the step that the change itself takes.
DESKS = STEP + 101


@pytest.fixture
def large(world: World) -> World:
    """Organization 0001 with desks 001 and 002 that people can sit at, then many, then 900 and 901; and 0002 with three desks."""
    world.office("001", "002")
    world.sql(
        "INSERT INTO extension (organization_id, number) SELECT o.id, lpad(i::text, 5, '0') FROM organization o,"
        " generate_series(1, %s) i",
        DESKS - 4,
    )
    world.desk("900")
    world.desk("901")
    world.organization("0002")
    for number in ("001", "002", "003"):
        world.desk(number, organization="0002")
    world.sit("001", "desk002")
    world.sit("900", "desk901")
    while announce(world.database).more:
        pass
    return world


def directory_of(world: World) -> Directory:
    return Directory(world.database)


def sent_home(world: World, reason: str) -> object:
    return world.value(
        "SELECT array_agg(extension ORDER BY extension) FROM journal WHERE reason = %s", reason
    )


def keys_told(world: World) -> set[str]:
    version = world.value("SELECT coalesce(max(version), 0) FROM route")
    assert isinstance(version, int)
    while announce(world.database).more:
        pass
    with world.database.connection() as connection:
        return {
            f"e/{change.extension}" if isinstance(change, Rings) else f"gone {change.kind}/{change.key}"
            for change in news_since(connection, version, 10**9).changes
            if isinstance(change, Rings | Gone)
        }


def test_a_large_one_is_disabled_in_steps_and_nobody_moves_there_from_the_first_on(large: World) -> None:
    directory_of(large).change_organization("0001", enabled=False)
    (left,) = steps_left(large.database)
    assert (left.code, left.removing, left.done, left.total) == ("0001", False, STEP, DESKS)
    assert sent_home(large, "organization_disabled") == ["001"]
    assert large.dial("desk001", "002").outcome == "unknown_phone"
    assert [step.done for step in take_steps(large.database, "0001")] == [STEP]
    assert sent_home(large, "organization_disabled") == ["001", "900"]
    keys = keys_told(large)
    assert {"gone p/desk001", "gone p/desk901", "e/0001*00001", "e/0001*901"} <= keys
    assert sum(key.startswith("e/") for key in keys) == DESKS


def test_enabled_again_in_the_middle_it_ends_as_it_should_be(large: World) -> None:
    directory = directory_of(large)
    directory.change_organization("0001", enabled=False)
    directory.change_organization("0001", enabled=True)
    assert take_some_steps(large.database, 60)
    assert directory.organization("0001").doing is None
    assert large.guests()["desk901"] == "900", "whose turn had not come stays"
    assert "e/0001*001" in keys_told(large)


@pytest.fixture
def due(large: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two stays that are due, of 001 in organization 0002 and then of 900 in 0001."""
    large.move("001", "desk0002-002", organization="0002")
    large.sql(
        "UPDATE extension SET max_stay = '1 hour' FROM organization o WHERE o.id = organization_id AND (o.code, number) IN (('0001', '900'), ('0002', '001'))"
    )
    large.sql(
        "UPDATE phone SET guest_since = guest_since - CASE name WHEN 'desk901' THEN interval '2 hours' ELSE interval '3 hours' END WHERE guest_id IS NOT NULL"
    )
    monkeypatch.setattr("roost.moves.ending_stays.TOGETHER", 1)
    return large


def test_a_stay_that_comes_due_while_its_organization_is_being_disabled_ends_when_it_is_enabled_again(
    due: World,
) -> None:
    directory, stays = directory_of(due), Stays(due.database, due.settings)
    assert stays.end_due(60, lambda: directory.change_organization("0001", enabled=False)) == 1
    assert due.guests() == {"desk901": "900"}
    directory.change_organization("0001", enabled=True)
    assert stays.end_due() == 1
    assert sent_home(due, "stay_ended") == ["001", "900"]


def test_guests_of_an_organization_that_is_being_disabled_keep_no_others_from_their_turn(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory_of(due).change_organization("0001", enabled=False)
    due.sql("UPDATE phone SET guest_since = guest_since - interval '9 hours' WHERE name = 'desk901'")
    monkeypatch.setattr("roost.moves.ending_stays.LIMIT", 1)
    assert Stays(due.database, due.settings).end_due() == 1
    assert due.guests() == {"desk901": "900"}


def test_a_removal_that_broke_off_is_gone_on_with_by_whoever_comes(large: World) -> None:
    directory = directory_of(large)
    directory.begin_removal("0001")
    for _ in take_steps(large.database, "0001"):
        break  # whoever began it dies
    found = directory.organization("0001")
    assert (found.doing, found.enabled, found.extensions_done) == ("removal", False, STEP)
    shown = directory.organization_name("0001")
    assert (shown.doing, shown.percent) == ("removal", 100 * STEP // DESKS)
    with pytest.raises(OrganizationIsRemoved):
        directory.change_organization("0001", enabled=True)
    assert not take_some_steps(large.database, 0), "no time, no step"
    assert take_some_steps(large.database, 60)
    with pytest.raises(UnknownOrganization):
        directory.organization("0001")
    assert sent_home(large, "organization_removed") == ["001", "900"]
    assert large.value("SELECT count(*) FROM phone") == large.value("SELECT count(*) FROM extension") == 3
    keys = keys_told(large)
    assert len(keys) == DESKS + 4
    assert all(key.startswith("gone ") for key in keys)


def test_renamed_its_nodes_forget_the_old_keys_and_learn_the_new(large: World) -> None:
    directory_of(large).rename_organization("0001", "acme")
    assert large.guests()["desk901"] == "900"
    assert take_some_steps(large.database, 60)
    keys = keys_told(large)
    assert {"e/acme*901", "gone e/0001*901", "e/acme*00001", "gone e/0001*00001"} <= keys
    assert len(keys) == 2 * DESKS


def test_what_is_removed_before_its_new_name_was_told_is_forgotten_under_the_old_one(large: World) -> None:
    directory = directory_of(large)
    directory.rename_organization("0001", "acme")
    directory.remove_extension("acme*901")
    large.sql("UPDATE extension SET number = '902' WHERE number = '900'")
    directory.begin_removal("acme")
    for _ in take_steps(large.database, "acme"):
        pass
    assert large.value("SELECT count(*) FROM organization") == 1
    keys = keys_told(large)
    numbers = {"001", "002", "900", "901"}.union(f"{number:05}" for number in range(1, DESKS - 3))
    assert {key for key in keys if key.startswith("gone e/0001*")} == {
        f"gone e/0001*{number}" for number in numbers | {"902"}
    }


def test_renamed_in_the_middle_of_its_removal_it_is_forgotten_under_both_names(large: World) -> None:
    directory = directory_of(large)
    directory.begin_removal("0001")
    directory.rename_organization("0001", "acme")
    for _ in take_steps(large.database, "acme"):
        pass
    assert large.value("SELECT count(*) FROM organization") == 1
    assert {"gone e/0001*001", "gone e/0001*00001", "gone e/0001*901"} <= keys_told(large)


def test_whoever_belongs_to_another_organization_moves_during_a_step(large: World, database_url: str) -> None:
    directory_of(large).begin_removal("0001")
    (left,) = steps_left(large.database)
    other = Database(database_url, size=1)
    with other.connection() as connection, connection.transaction():
        connection.execute("SELECT step_organization(%s, 500)", (left.id,))
        began = large.now()
        assert large.sit("001", "desk0002-002", organization="0002").outcome == "virtualized"
        assert (large.now() - began).total_seconds() < 1
    other.close()


@pytest.fixture
def two_changed(large: World) -> World:
    """Steps are left for both organizations; 0001 has waited longer."""
    large.sql(
        "INSERT INTO organization_change (organization_id, total, seen_at)"
        " SELECT id, 1, now() - CASE code WHEN '0001' THEN interval '1 minute' ELSE '0' END FROM organization"
    )
    return large


def test_an_organization_whose_rows_somebody_holds_keeps_no_other_waiting(
    two_changed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roost.database.LOCK_PATIENCE", 0.1)
    with two_changed.database.connection() as other, other.transaction():
        other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        other.execute("SELECT FROM extension WHERE number = '900' FOR UPDATE")
        assert not take_some_steps(two_changed.database, 60)
        assert [each.code for each in steps_left(two_changed.database)] == ["0001"]
    assert take_some_steps(two_changed.database, 60)


def test_a_step_that_postgresql_refuses_keeps_no_other_organization_waiting(two_changed: World) -> None:
    two_changed.sql(
        "ALTER TABLE route_dirty ADD CONSTRAINT poison CHECK (key NOT LIKE 'e/0001*%%') NOT VALID"
    )
    with capture_logs() as logs:
        assert not take_some_steps(two_changed.database, 60)
    assert [(log["event"], log["organization"]) for log in logs] == [("organization_step_failed", "0001")]
    assert [each.code for each in steps_left(two_changed.database)] == ["0001"]


def test_many_changes_are_numbered_some_at_a_time(large: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roost.nodes.routes.NUMBERED_AT_ONCE", 300)
    directory_of(large).rename_organization("0001", "acme")
    first = announce(large.database)
    assert first.more
    assert 0 < first.numbered <= 300
    while announce(large.database).more:
        pass
    assert large.value("SELECT count(*) FROM route_dirty") == 0


def test_what_takes_too_long_is_not_said_to_be_away(database: Database) -> None:
    def work(connection: Connection) -> None:
        connection.execute("SET LOCAL statement_timeout = 1")
        connection.execute("SELECT pg_sleep(1)")

    with pytest.raises(DatabaseTooSlow):
        database.transaction(work)
