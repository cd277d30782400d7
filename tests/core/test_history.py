"""Where everybody is, and who was where: the answers against what was seen to happen."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta

import pytest

from roost.directory.errors import UnknownExtension, UnknownPhone
from roost.directory.fields import ExtensionKey
from roost.views.journal import journal_entries, latest_of
from roost.views.occupants import who_was_on
from roost.views.whereabouts import Why, where_is_extension, where_is_phone
from tests.world import World


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003", "004")
    return world


def was_on(office: World, phone: str, at: datetime) -> str | None:
    return who_was_on(office.database, phone, at).guest


def test_why_and_where_are_one_answer(office: World) -> None:
    """All that may hold at once of an extension and its phone: the view has a phone just where `why` says that there is one."""
    office.desk("005", phone=False)
    office.sit("001", "desk002")
    for switches in itertools.product(("true", "false"), repeat=3):
        for table, enabled in zip(("organization", "extension", "phone"), switches, strict=True):
            office.sql(f"UPDATE {table} SET enabled = {enabled}")
        rows = office.rows("SELECT why, phone IS NOT NULL, away FROM rings")
        assert {why for why, _, _ in rows} <= set(Why)
        assert all(
            (there, away) == (why in {Why.AT_HOME, Why.VIRTUALIZED}, why == Why.VIRTUALIZED)
            for why, there, away in rows
        )
        organization, extension, phone = switches
        expected = (
            Why.ORGANIZATION_DISABLED if organization == "false"
            else Why.EXTENSION_DISABLED if extension == "false"
            else Why.PHONE_DISABLED if phone == "false"
            else Why.AT_HOME
        )  # fmt: skip
        if (organization, extension, phone) != ("true", "true", "true"):
            assert where_is_extension(office.database, "0001*003").why is expected
    assert where_is_extension(office.database, "0001*005").why is Why.ORGANIZATION_DISABLED
    office.sql("UPDATE organization SET enabled = true")
    office.sql("UPDATE extension SET enabled = true")
    assert where_is_extension(office.database, "0001*005").why is Why.NO_PHONE


def test_at_home_virtualized_and_hosting(office: World) -> None:
    assert where_is_extension(office.database, "0001*001").why is Why.AT_HOME
    before = office.now()
    office.sit("001", "desk002")
    away, host = (
        where_is_extension(office.database, "0001*001"),
        where_is_extension(office.database, "0001*002"),
    )
    assert (away.why, away.phone, away.node, away.own_phone) == (Why.VIRTUALIZED, "desk002", "n1", "desk001")
    assert away.since is not None
    assert away.since > before
    assert (host.why, host.phone, host.guest, host.guest_name) == (
        Why.HOSTS_GUEST,
        None,
        "0001*001",
        "Person 001",
    )
    assert host.since == away.since


def test_rings_at_home_since_it_returned_or_its_phone_was_left(office: World) -> None:
    assert where_is_extension(office.database, "0001*001").since is None
    office.sit("001", "desk002")
    office.dial("desk002")
    back = where_is_extension(office.database, "0001*001")
    assert (back.why, back.since) == (Why.AT_HOME, office.value("SELECT max(at) FROM journal"))
    assert where_is_extension(office.database, "0001*002").since == back.since
    office.sit("003", "desk001")
    office.sit("003", "desk004")
    assert where_is_extension(office.database, "0001*001").since == office.value(
        "SELECT max(at) FROM journal"
    )


def test_rings_at_home_since_it_was_displaced(office: World) -> None:
    office.sql("UPDATE organization SET policy = 'displace'")
    office.sit("001", "desk003")
    office.sit("002", "desk003")
    displaced_at = office.value("SELECT max(at) FROM journal")
    office.sit("004", "desk003")
    assert where_is_extension(office.database, "0001*001").since == displaced_at


def test_why_it_rings_nowhere(office: World) -> None:
    office.desk("010", phone=False)
    office.sql("UPDATE phone SET enabled = false WHERE name = 'desk003'")
    office.sql("UPDATE extension SET enabled = false WHERE number = '004'")
    why = {
        number: where_is_extension(office.database, f"0001*{number}").why for number in ("010", "003", "004")
    }
    assert why == {"010": Why.NO_PHONE, "003": Why.PHONE_DISABLED, "004": Why.EXTENSION_DISABLED}
    office.sql("UPDATE organization SET enabled = false")
    assert where_is_extension(office.database, "0001*001").why is Why.ORGANIZATION_DISABLED
    with pytest.raises(UnknownExtension):
        where_is_extension(office.database, "0001*099")


def test_a_stay_says_when_it_ends(office: World) -> None:
    office.sql("UPDATE organization SET max_stay = '8 hours'")
    office.sit("001", "desk002")
    away, phone = where_is_extension(office.database, "0001*001"), where_is_phone(office.database, "desk002")
    assert away.since is not None
    assert away.until == away.since + timedelta(hours=8)
    assert (phone.since, phone.until) == (away.since, away.until)


def test_who_a_phone_acts_as(office: World) -> None:
    office.sit("001", "desk002")
    office.sit("002", "desk003")
    phone = where_is_phone(office.database, "desk002")
    assert (phone.acts_as, phone.guest, phone.base) == ("0001*001", "0001*001", "0001*002")
    assert (phone.base_phone, phone.base_node) == ("desk003", "n1")
    assert where_is_phone(office.database, "desk001").acts_as == "0001*001"
    with pytest.raises(UnknownPhone):
        where_is_phone(office.database, "desk099")


def test_who_was_on_this_phone_then(office: World) -> None:
    office.sql("UPDATE organization SET policy = 'displace'")
    empty = office.now()
    office.sit("001", "desk004")
    first = office.now()
    office.sit("002", "desk004")
    displaced = office.now()
    office.sit("002", "desk003")
    moved_on = office.now()
    office.bring_home("002")
    came_home = office.now()
    office.sit("003", "desk004")
    office.sql("UPDATE extension SET allows_virtualization = false WHERE number = '004'")
    sent_home = office.now()
    at_desk004 = [
        was_on(office, "desk004", at) for at in (empty, first, displaced, moved_on, came_home, sent_home)
    ]
    assert at_desk004 == [None, "0001*001", "0001*002", None, None, None]
    at_desk003 = [was_on(office, "desk003", at) for at in (displaced, moved_on, came_home)]
    assert at_desk003 == [None, "0001*002", None]
    told = who_was_on(office.database, "desk004", first)
    assert (told.base, told.certain) == ("0001*004", True)
    assert told.since is not None
    assert told.until is not None
    assert empty < told.since < first < told.until < displaced


def test_who_was_there_before_the_journal_begins_is_told_by_who_left(office: World) -> None:
    office.sql("UPDATE organization SET policy = 'displace'")
    office.sit("001", "desk004")
    office.sit("003", "desk002")
    then = office.now()
    office.sql("DELETE FROM journal")
    assert was_on(office, "desk004", then) == "0001*001"
    office.sit("002", "desk004")
    office.bring_home("003")
    assert was_on(office, "desk004", then) == "0001*001"
    assert was_on(office, "desk002", then) == "0001*003"
    assert not who_was_on(office.database, "desk003", then).certain


def test_a_removed_phone_is_remembered_and_an_unknown_one_is_not(office: World) -> None:
    office.sit("001", "desk004")
    then = office.now()
    office.sql("DELETE FROM phone WHERE name = 'desk004'")
    told = who_was_on(office.database, "desk004", then)
    assert (told.guest, told.base) == ("0001*001", None)
    with pytest.raises(UnknownPhone):
        who_was_on(office.database, "desk099", then)


@pytest.mark.parametrize("policy", ["refuse", "displace"])
def test_the_journal_agrees_with_every_moment_of_a_busy_day(office: World, policy: str) -> None:
    office.sql("UPDATE organization SET policy = %s", policy)
    numbers, dice = ["001", "002", "003", "004"], random.Random(policy)
    seen: list[tuple[datetime, dict[str, str]]] = []
    for _ in range(60):
        number, desk = dice.choice(numbers), f"desk{dice.choice(numbers)}"
        match dice.randrange(4):
            case 0:
                office.dial(desk)
            case 1:
                office.bring_home(number)
            case 2 if dice.random() < 0.3:
                office.sql("UPDATE phone SET enabled = false WHERE name = %s", desk)
                office.sql("UPDATE phone SET enabled = true WHERE name = %s", desk)
            case _:
                office.move(number, desk)
        seen.append((office.now(), office.guests()))
    for at, guests in seen:
        told = {f"desk{n}": guest[5:] for n in numbers if (guest := was_on(office, f"desk{n}", at))}
        assert told == guests


def test_the_journal_is_filtered(office: World) -> None:
    office.sql("UPDATE organization SET policy = 'displace'")
    office.sit("001", "desk003")
    noon = office.now()
    office.sit("002", "desk003")
    office.sit("002", "desk004")
    office.dial("desk001")

    def outcomes(**filters: object) -> list[tuple[str | None, str | None, str]]:
        entries = journal_entries(office.database, **filters)  # type: ignore[arg-type]  # by name
        return [(entry.extension, entry.phone, entry.outcome) for entry in entries]

    moved, displaced, left = (
        ("002", "desk004", "virtualized"),
        ("002", "desk003", "virtualized"),
        ("001", "desk003", "virtualized"),
    )
    nothing = ("001", "desk001", "nothing_to_return")
    assert outcomes() == [nothing, moved, displaced, left]
    assert outcomes(limit=1) == [nothing]
    assert outcomes(extension="0001*001") == [nothing, displaced, left]
    assert outcomes(phone="desk003") == [moved, displaced, left]
    assert outcomes(outcome="nothing_to_return") == [nothing]
    assert outcomes(since=noon) == [nothing, moved, displaced]
    assert outcomes(until=noon) == [left]
    assert outcomes(organization="0002") == []


def test_the_latest_of_an_extension_are_the_first_of_its_journal(office: World) -> None:
    office.sql("UPDATE organization SET policy = 'displace'")
    chance = random.Random(7)
    for _ in range(120):
        number, phone = chance.choice(("001", "002", "003")), f"desk00{chance.randint(1, 4)}"
        if chance.random() < 0.2:
            office.dial(phone)
        else:
            office.move(number, phone)
    assert office.value("SELECT count(*) FROM journal WHERE displaced IS NOT NULL") != 0
    for number in ("001", "002", "003"):
        key = ExtensionKey("0001", number)
        for entries in (1, 3, 10, 50):
            wanted = journal_entries(office.database, extension=str(key), limit=entries)
            assert latest_of(office.database, key, entries) == wanted
