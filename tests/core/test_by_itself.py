"""What the system does by itself, also behind its own back: a person with psql is a writer too."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from structlog.testing import capture_logs

from roost.moves.ending_stays import Stays
from roost.views.desks import watched_extensions
from roost.views.whereabouts import where_is_phone
from tests.world import World


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003")
    world.sit("001", "desk002")
    return world


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE extension SET allows_virtualization = false WHERE number = '002'", "host_disallowed"),
        ("UPDATE extension SET code_hash = NULL, code_set_at = NULL WHERE number = '001'", "code_cleared"),
        ("UPDATE extension SET enabled = false WHERE number = '001'", "extension_disabled"),
        ("UPDATE extension SET enabled = false WHERE number = '002'", "extension_disabled"),
        ("UPDATE phone SET enabled = false WHERE name = 'desk002'", "phone_disabled"),
        ("UPDATE phone SET base_id = NULL WHERE name = 'desk002'", "phone_changed"),
        ("UPDATE organization SET enabled = false", "organization_disabled"),
        ("DELETE FROM extension WHERE number = '001'", "extension_removed"),
        ("DELETE FROM extension WHERE number = '002'", "extension_removed"),
        ("DELETE FROM phone WHERE name = 'desk002'", "phone_removed"),
        ("DELETE FROM organization", "organization_removed"),
    ],
)
def test_a_guest_goes_home_with_one_journal_entry(office: World, statement: str, reason: str) -> None:
    office.sql(statement)
    assert office.guests() == {}
    left = [entry for entry in office.journal() if entry[0] == "return"]
    assert left == [("return", "returned", "001", "desk002", reason)]


def test_a_stay_ends_after_its_maximum_once_though_two_ask(office: World) -> None:
    office.sql("UPDATE organization SET max_stay = '1 hour'")
    stays = Stays(office.database, office.settings)
    assert stays.end_due() == 0
    office.sql(
        "UPDATE phone SET guest_since = guest_since - interval '61 minutes' WHERE guest_id IS NOT NULL"
    )
    assert [stays.end_due(), stays.end_due()] == [1, 0]
    assert office.journal()[-1] == ("return", "returned", "001", "desk002", "stay_ended")


def test_many_stays_end_in_one_run_some_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roost.moves.ending_stays.LIMIT", 2)
    world.office(*(f"00{n}" for n in range(1, 9)))
    world.sql("UPDATE organization SET max_stay = '1 hour'")
    for guest, host in (("001", "desk002"), ("003", "desk004"), ("005", "desk006")):
        world.sit(guest, host)
    world.sql("UPDATE phone SET guest_since = guest_since - interval '61 minutes' WHERE guest_id IS NOT NULL")
    world.sit("007", "desk008")
    stays, told = Stays(world.database, world.settings), []
    assert stays.end_due(0, lambda: told.append("some")) == 2, "no time: one look"
    assert stays.end_due(60, lambda: told.append("the rest")) == 1
    assert told == ["some", "the rest"]
    assert world.guests() == {"desk008": "007"}


def test_a_row_that_somebody_holds_keeps_no_other_stay_from_ending(world: World) -> None:
    world.office("001", "002", "003", "004")
    world.sql("UPDATE organization SET max_stay = '1 hour'")
    world.sit("001", "desk002")
    world.sit("003", "desk004")
    world.sql("UPDATE phone SET guest_since = guest_since - interval '61 minutes' WHERE guest_id IS NOT NULL")
    stays = Stays(world.database, world.settings)
    with world.database.connection() as other, other.transaction():
        other.execute("SELECT 1 FROM extension WHERE number = '001' FOR UPDATE")
        assert stays.end_due() == 1
        assert world.guests() == {"desk002": "001"}
    assert stays.end_due() == 1, "the next run goes on"


def test_a_stay_that_postgresql_refuses_to_end_keeps_no_other_from_it(world: World) -> None:
    world.office("001", "002", "003", "004")
    world.sql("UPDATE organization SET max_stay = '1 hour'")
    world.sit("001", "desk002")
    world.sit("003", "desk004")
    world.sql("UPDATE phone SET guest_since = guest_since - interval '61 minutes' WHERE guest_id IS NOT NULL")
    world.sql("ALTER TABLE journal ADD CONSTRAINT poison CHECK (extension <> '001') NOT VALID")
    with capture_logs() as logs:
        assert Stays(world.database, world.settings).end_due() == 1
    assert [(log["event"], log["extension"]) for log in logs] == [("stay_not_ended", "0001*001")]
    assert world.guests() == {"desk002": "001"}


def test_an_extensions_own_maximum_goes_before_the_organizations(office: World) -> None:
    office.sql("UPDATE organization SET max_stay = '1 minute'")
    office.sql("UPDATE extension SET max_stay = '1 day'")
    office.sql(
        "UPDATE phone SET guest_since = guest_since - interval '61 minutes' WHERE guest_id IS NOT NULL"
    )
    assert Stays(office.database, office.settings).end_due() == 0


def test_the_daily_return_sends_home(office: World) -> None:
    moment = office.now() - timedelta(minutes=5)
    office.sql("UPDATE organization SET daily_return = %s", moment.astimezone(UTC).time())
    office.sql("UPDATE phone SET guest_since = guest_since - interval '2 hours' WHERE guest_id IS NOT NULL")
    assert Stays(office.database, office.settings).end_due() == 1
    assert office.journal()[-1][-1] == "daily_return"


def test_a_time_zone_that_is_known_no_more_concerns_the_daily_return_of_its_organization_alone(
    office: World,
) -> None:
    office.organization("0002")
    for number in ("101", "102"):
        office.desk(number, organization="0002")
    office.move("101", "desk0002-102", organization="0002")
    office.move("003", "desk001")
    minutes_ago = (office.now() - timedelta(minutes=5)).astimezone(UTC).time()
    office.sql("UPDATE organization SET daily_return = %s", minutes_ago)
    office.sql("UPDATE extension SET max_stay = '1 hour' WHERE number = '003'")
    office.sql("UPDATE phone SET guest_since = guest_since - interval '2 hours' WHERE guest_id IS NOT NULL")
    office.zone_is_known_no_more()
    assert where_is_phone(office.database, "desk002").until is None
    assert Stays(office.database, office.settings).end_due() == 2
    assert office.guests() == {"desk002": "001"}, "nobody goes home at a time that was guessed"
    assert {entry[2:] for entry in office.journal()[-2:]} == {
        ("003", "desk001", "stay_ended"),
        ("101", "desk0002-102", "daily_return"),
    }
    office.sql("UPDATE organization SET enabled = false, code = '0009' WHERE code = '0001'")
    assert office.guests() == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE phone SET guest_id = base_id WHERE name = 'desk003'",
        "UPDATE phone SET guest_id = (SELECT id FROM extension WHERE number = '001'), guest_since = now() WHERE name = 'desk003'",
        "UPDATE phone SET guest_id = (SELECT id FROM extension WHERE number = '101'), guest_since = now() WHERE name = 'desk003'",
        "UPDATE phone SET base_id = (SELECT id FROM extension WHERE number = '101') WHERE name = 'desk003'",
        "UPDATE phone SET organization_id = (SELECT id FROM organization WHERE code = '0002') WHERE name = 'desk003'",
        "UPDATE phone SET guest_id = (SELECT id FROM extension WHERE number = '003'), guest_since = now() WHERE name = 'bare'",
    ],
)
def test_a_direct_update_that_breaks_an_invariant_is_refused(office: World, statement: str) -> None:
    office.organization("0002")
    office.desk("101", organization="0002")
    office.sql(
        "INSERT INTO phone (organization_id, name, node_id) SELECT organization_id, 'bare', node_id FROM phone WHERE name = 'desk001'"
    )
    with pytest.raises(Exception, match="violates"):
        office.sql(statement)
    assert office.guests() == {"desk002": "001"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE organization SET max_stay = '8 hours'",
        "UPDATE extension SET daily_return = '18:00' WHERE number = '001'",
        "UPDATE organization SET daily_return = '18:00', timezone = 'Asia/Tokyo'",
    ],
)
def test_who_watches_an_extension_is_told_when_the_end_of_its_stay_changes(
    office: World, statement: str
) -> None:
    before = watched_extensions(office.database, [("0001", "001")])
    assert watched_extensions(office.database, [("0001", "001")]) == before
    office.sql(statement)
    assert watched_extensions(office.database, [("0001", "001")]).keys() == before.keys()
    assert watched_extensions(office.database, [("0001", "001")]) != before
