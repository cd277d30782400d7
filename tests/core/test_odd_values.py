"""What somebody with psql may write, and PostgreSQL takes: it concerns whose row it is, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone

import pytest
from psycopg import errors as pg

from roost.database import Database
from roost.diagnosis.database import check_server
from roost.directory import Directory
from roost.directory.fields import parse_duration
from roost.finding import Level
from roost.moves.ending_stays import Stays
from roost.nodes.holding import take
from roost.nodes.status import cluster_status
from roost.out_of_range import FIRST, LAST
from roost.people.person import People, Role
from roost.people.tokens import Tokens
from roost.views.desks import read_desks
from roost.views.journal import journal_entries
from roost.views.whereabouts import where_is_extension, where_is_phone
from tests.world import World

#: Of the largest numbers that the rule of a duration takes.
LONGEST = "99999d99999h99999m999999s"


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003")
    world.organization("0002", max_stay="8 hours", daily_return="18:00")
    for number in ("101", "102"):
        world.desk(number, organization="0002")
    world.move("101", "desk0002-102", organization="0002")
    return world


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("organization", "max_stay", "293000 years"),
        ("organization", "lock_for", "3000000 years"),
        ("organization", "daily_return", "24:00"),
        ("extension", "max_stay", "293000 years"),
        ("extension", "daily_return", "24:00"),
    ],
)
def test_an_end_that_would_keep_everybodys_stays_from_ending_is_refused(
    office: World, table: str, column: str, value: str
) -> None:
    with pytest.raises(pg.CheckViolation, match=f"{table}_{column}_check"):
        office.sql(f"UPDATE {table} SET {column} = %s", value)


def test_the_longest_duration_that_a_person_may_give_is_held(office: World) -> None:
    longest = parse_duration(LONGEST)
    directory = Directory(office.database)
    directory.change_organization("0002", max_stay=longest, lock_for=longest)
    directory.change_extension("0002*101", max_stay=longest)
    assert directory.extension("0002*101").max_stay == longest
    stay = where_is_phone(office.database, "desk0002-102")
    assert stay.until is not None


@pytest.mark.parametrize("began", ["infinity", "-infinity", "4714-11-24 BC", "294275-01-01"])
def test_a_stay_that_began_when_no_clock_shows_keeps_no_other_from_ending(office: World, began: str) -> None:
    office.sql("UPDATE organization SET max_stay = '1 hour' WHERE code = '0001'")
    office.sit("001", "desk002")
    office.sql("UPDATE phone SET guest_since = guest_since - interval '61 minutes' WHERE name = 'desk002'")
    office.sql("UPDATE phone SET guest_since = %s WHERE name = 'desk0002-102'", began)
    assert Stays(office.database, office.settings).end_due() == 1
    assert office.guests() == {"desk0002-102": "101"}
    assert where_is_phone(office.database, "desk0002-102").until is None
    assert len(Directory(office.database).phones()) == 5
    assert len(read_desks(office.database, "0002").desks) == 2
    assert office.bring_home("101", organization="0002").outcome == "returned"


def _extension(world: World) -> object:
    return next(each.locked_until for each in Directory(world.database).extensions() if each.locked_until)


def _place(world: World) -> object:
    return where_is_extension(world.database, "0002*101").locked_until


def _phone(world: World) -> object:
    return next(each.locked_until for each in Directory(world.database).phones() if each.locked_until)


def _token(world: World) -> object:
    return Tokens(world.database).tokens()[0].expires_at


def _person(world: World) -> object:
    return People(world.database).people()[0].created_at


def _status(world: World) -> object:
    return cluster_status(world.database).nodes[0].next_attempt_at


def _taken(world: World) -> object:
    with world.database.connection() as connection, connection.transaction():
        return take(connection, ["n1"], 3.0)[0].failing_since


def _entry(world: World) -> object:
    return journal_entries(world.database)[-1].at


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE extension SET locked_until = %s WHERE number = '101'", _extension),
        ("UPDATE extension SET locked_until = %s WHERE number = '101'", _place),
        ("UPDATE phone SET locked_until = %s WHERE name = 'desk0002-101'", _phone),
        ("INSERT INTO token (name, token_hash, access, expires_at) VALUES ('t', 't', 'read', %s)", _token),
        ("UPDATE person SET created_at = %s", _person),
        ("UPDATE pbx_node SET next_attempt_at = %s", _status),
        ("UPDATE pbx_node SET failing_since = %s", _taken),
    ],
)
def test_a_time_without_an_end_is_read_in_every_list(
    office: World, statement: str, read: Callable[[World], object]
) -> None:
    office.person("ana", "a password that is long", Role.OPERATOR)
    for late in ("infinity", "294275-01-01"):
        office.sql(statement.replace("'t', 't'", f"'t', '{late}'"), late)
        assert read(office) == LAST


def test_a_time_before_all_others_is_read_too(office: World) -> None:
    for early in ("-infinity", "4713-01-01 BC"):
        office.sql("UPDATE journal SET at = %s", early)
        assert _entry(office) == FIRST


@pytest.mark.parametrize("hours", [-14, 14])
def test_the_first_and_the_last_time_can_be_told_in_every_time_zone(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    assert [moment.astimezone(zone).year for moment in (FIRST, LAST)] == [1, 9999]


def test_a_database_that_writes_times_as_its_country_does_is_read(office: World) -> None:
    name = office.value("SELECT current_database()")
    for setting in ("DateStyle = 'German'", "IntervalStyle = 'iso_8601'"):
        office.sql(f"ALTER DATABASE {name} SET {setting}")
    database = Database(office.settings.need("database_url"), size=1)
    try:
        there = Directory(database)
        assert (
            there.phone("desk0002-102").guest_since
            == Directory(office.database).phone("desk0002-102").guest_since
        )
        assert there.organization("0002").max_stay == timedelta(hours=8)
        assert Level.ERROR not in {each.level for each in check_server(office.settings.need("database_url"))}
    finally:
        database.close()
