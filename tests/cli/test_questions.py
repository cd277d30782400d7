"""`roost where`, `journal`, `status`: what an operator asks of the database."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from roost.nodes.routes import announce
from tests.cli.command import Run
from tests.world import World
from workers.cli.journal import parse_time


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003")
    return world


def facts(text: str) -> dict[str, str]:
    """The lines of `name  value`."""
    return dict(line.split("  ", 1) for line in text.splitlines() if "  " in line.strip())


def test_where_an_extension_rings_and_why(roost: Run, office: World) -> None:
    office.sql("UPDATE organization SET max_stay = '8 hours'")
    office.sit("001", "desk002")
    told = {name.strip(): value.strip() for name, value in facts(roost("where", "0001*001").out).items()}
    assert told["extension"] == "0001*001 (Person 001)"
    assert told["rings"] == "desk002 on node n1"
    assert told["why"] == "virtualized: it sits on another phone"
    assert told["own phone"] == "desk001 on node n1"
    since, until = (datetime.fromisoformat(told[name]) for name in ("since", "until"))
    assert until - since == timedelta(hours=8)
    host = roost("where", "0001*002", "--json").json
    assert (host["why"], host["phone"], host["guest"]) == ("hosts_guest", None, "0001*001")
    assert "who sits there" in roost("where", "0001*002").out


def test_who_a_phone_acts_as(roost: Run, office: World) -> None:
    office.sit("001", "desk002")
    assert roost("where", "desk002", "--json").json["acts_as"] == "0001*001"
    assert "which rings" in roost("where", "desk002").out
    assert roost("where", "desk009").err.endswith("[unknown_phone]\n")
    assert roost("where", "0001*009").exit_code == 4
    assert roost("where", "0001*x").exit_code == 2


def test_the_journal_and_who_was_on_a_phone(roost: Run, office: World) -> None:
    office.sit("001", "desk003")
    then = office.now().isoformat()
    office.move("001", "desk002", reason="moved desks")
    entries = roost("journal", "--json").json
    assert [(entry["phone"], entry["left_phone"]) for entry in entries] == [
        ("desk002", "desk003"),
        ("desk003", None),
    ]
    shown = roost("journal", "--extension", "0001*001").out
    assert "moved desks, left desk003" in shown
    assert roost("journal", "--outcome", "wrong_code").err == "none\n"
    assert roost("journal", "--outcome", "wrong-code").exit_code == 2
    assert len(roost("journal", "--until", then, "--json").json) == 1
    assert len(roost("journal", "--since", "1h", "--json").json) == 2
    assert "There may be more" in roost("journal", "--limit", "1").err
    was = roost("journal", "--phone", "desk003", "--at", then, "--json").json
    assert (was["guest"], was["base"]) == ("0001*001", "0001*003")
    assert "0001*001" in roost("journal", "--phone", "desk003", "--at", then).out
    now = office.now().isoformat()
    assert "its own extension, 0001*003 today" in roost("journal", "--phone", "desk003", "--at", now).out


def test_who_goes_on_in_the_journal_as_it_says_misses_no_row(roost: Run, office: World) -> None:
    """Also of the same second."""
    for phone in ("desk002", "desk003") * 3:
        office.move("001", phone)
    seen: set[str] = set()
    more: tuple[str, ...] = ()
    for _ in range(10):
        told = roost("journal", "--limit", "2", "--json", *more)
        seen |= {entry["request_id"] for entry in told.json}
        if not (found := re.search(r"use --until '([^']+)'", told.err)):
            break
        more = ("--until", found[1])
    assert seen == {entry["request_id"] for entry in roost("journal", "--json").json}


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("--at", "14:05"), 2),
        (("--phone", "desk001", "--at", "tea time"), 2),
        (("--phone", "desk001", "--at", "9999-01-01"), 2),
        (("--phone", "desk009", "--at", "00:00"), 4),
        (("--extension", "001"), 2),
        (("--since", "99:99"), 2),
    ],
)
def test_a_question_that_is_none(
    roost: Run, office: World, arguments: tuple[str, ...], exit_code: int
) -> None:
    assert roost("journal", *arguments).exit_code == exit_code


def test_times_as_people_write_them() -> None:
    now = datetime.now().astimezone()
    minute = parse_time(f"{now:%H:%M}")
    assert now - timedelta(minutes=2) < minute <= now
    ahead = now + timedelta(minutes=5)
    assert parse_time(f"{ahead:%H:%M}") < now
    assert now - timedelta(hours=2, seconds=1) < parse_time("2h") < now - timedelta(hours=1, minutes=59)
    assert parse_time(
        "2026-03-01T14:05+02:00"
    ).isoformat() == "2026-03-01T12:05:00+00:00" or now.utcoffset() != timedelta(0)


def test_the_status_of_each_node(roost: Run, office: World) -> None:
    office.node("n2")
    office.node("n3")
    version = announce(office.database).numbered
    office.sql(
        "UPDATE pbx_node SET seen_at = clock_timestamp(), applied_version = %s, audited_at = now(), drift = 2 WHERE name = 'n1'",
        version,
    )
    office.sql("UPDATE pbx_node SET failures = 4, last_error = 'no route to host' WHERE name = 'n2'")
    status = roost("status", "--json").json
    assert [(node["name"], node["state"], node["behind"]) for node in status["nodes"]] == [
        ("n1", "up_to_date", 0),
        ("n2", "failing", version),
        ("n3", "never_seen", version),
    ]
    assert (status["version"], status["nodes"][0]["lag_seconds"]) == (version, 0.0)
    shown = roost("status").out
    assert "n2: 4 pushes failed since it last answered: no route to host\n→ Mend what the error says" in shown
    assert "n3: pushed to never, though nothing failed.\n→ A `beat` and a `push` worker must run" in shown
    office.sql(
        "INSERT INTO node_refused_row (node_id, key, reason) SELECT id, 'p/desk001', 'Too long' FROM pbx_node WHERE name = 'n1'"
    )
    assert "n1: cannot hold 1 row: roost doctor names what" in roost("status").out
    assert "n1 cannot hold p/desk001: Too long" in roost("doctor").out
    assert "2 mended" in shown
    assert [node["name"] for node in roost("status", "n2", "--json").json["nodes"]] == ["n2"]
    assert roost("status", "n9").exit_code == 4


def test_the_exit_code_of_status_is_the_worst_of_any_node(roost: Run, office: World) -> None:
    version = announce(office.database).numbered
    office.sql(
        "UPDATE pbx_node SET seen_at = clock_timestamp() + interval '1 hour', applied_version = %s", version
    )
    assert roost("status").exit_code == 0
    office.sql("UPDATE pbx_node SET drift = 1")
    assert roost("status").exit_code == 1
    office.sql("UPDATE pbx_node SET drift = 0, seen_at = clock_timestamp() - interval '10 minutes'")
    left = roost("status")
    assert left.exit_code == 7
    assert re.search(r"n1: pushed to not for 6\d\d s, though nothing failed\.", left.out)
    office.sql("UPDATE pbx_node SET failures = 1, last_error = 'no route to host'")
    assert (roost("status").exit_code, roost("status", "--json").exit_code) == (7, 7)
    office.sql("UPDATE pbx_node SET enabled = false")
    assert roost("status").exit_code == 0


def test_an_audit_that_nobody_makes_says_so(roost: Run, office: World) -> None:
    ended = roost("audit", "--deadline", "1")
    assert ended.exit_code == 6
    assert "not audited in time" in ended.out
    assert "no wake-up could be sent" in ended.err
    assert roost("audit", "n9").exit_code == 4
