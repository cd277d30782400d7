"""Virtualize and return, as the contract says, on a real PostgreSQL."""

from __future__ import annotations

import pytest

from roost.moves.outcomes import CHANGED, Outcome
from roost.views.journal import journal_entries
from tests.world import World, new_id


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003", "004")
    return world


def test_an_extension_moves_and_rings_where_its_owner_sits(office: World) -> None:
    assert office.rings("001") == "desk001"
    answer = office.sit("001", "desk002")
    assert (answer.outcome, answer.extension, answer.phone) == ("virtualized", "0001*001", "desk002")
    assert (office.rings("001"), office.rings("002")) == ("desk002", None)
    assert (office.acts_as("desk002"), office.acts_as("desk001")) == ("001", "001")


def test_it_moves_on_and_frees_the_phone_it_leaves(office: World) -> None:
    office.sit("001", "desk002")
    office.sit("001", "desk003")
    assert office.guests() == {"desk003": "001"}
    assert office.rings("002") == "desk002"


def test_star_30_on_the_host_returns_the_guest(office: World) -> None:
    office.sit("001", "desk002")
    answer = office.dial("desk002")
    assert (answer.outcome, answer.extension, answer.phone) == ("returned", "0001*001", "desk002")
    assert office.guests() == {}


def test_star_30_on_the_own_phone_brings_the_owner_home(office: World) -> None:
    office.sit("001", "desk002")
    assert office.dial("desk001").outcome == "returned"
    assert office.guests() == {}


def test_star_30_with_the_phones_own_number_needs_no_code(office: World) -> None:
    office.sit("001", "desk002")
    assert office.dial("desk001", "001").outcome == "returned"
    assert office.dial("desk001", "001").outcome == "already_here"


def test_nothing_to_return(office: World) -> None:
    assert office.dial("desk001").outcome == "nothing_to_return"


def test_the_chain_a_on_b_on_c_returns_one_by_one(office: World) -> None:
    office.sit("001", "desk002")
    office.sit("002", "desk003")
    first, second = office.dial("desk002"), office.dial("desk002")
    assert [first.extension, second.extension] == ["0001*001", "0001*002"]
    assert office.guests() == {}


def test_a_repeat_answers_what_the_first_did(office: World) -> None:
    office.sit("001", "desk002")
    office.sit("002", "desk003")
    once = new_id()
    answers = [office.dial("desk002", request_id=once) for _ in range(5)]
    assert {(a.outcome, a.extension, a.phone) for a in answers} == {("returned", "0001*001", "desk002")}
    assert office.guests() == {"desk003": "002"}


def test_coming_home_does_not_disturb_who_sits_there(office: World) -> None:
    office.sit("002", "desk003")
    office.sit("004", "desk002")
    assert office.dial("desk003").outcome == "returned"
    assert office.guests() == {"desk002": "004"}
    assert office.rings("002") is None
    office.dial("desk002")
    assert office.rings("002") == "desk002"


def test_the_policy_displace_sends_the_present_guest_home(office: World) -> None:
    office.sql("UPDATE organization SET policy = 'displace'")
    office.sit("001", "desk003")
    answer = office.sit("002", "desk003")
    assert (answer.outcome, answer.displaced) == ("virtualized", "0001*001")
    assert office.guests() == {"desk003": "002"}
    assert office.rings("001") == "desk001"


def test_who_was_displaced_and_what_was_left_is_written_down(office: World) -> None:
    office.sql("UPDATE organization SET policy = 'displace'")
    office.sit("001", "desk003")
    office.sit("002", "desk004")
    office.sit("002", "desk003")
    left = office.value("SELECT (left_phone, displaced)::text FROM journal ORDER BY at DESC LIMIT 1")
    assert left == "(desk004,001)"


def test_each_refusal_in_the_order_of_the_contract(office: World) -> None:
    office.organization("0002")
    office.desk("009", organization="0002")
    office.desk("005", allows=False)
    office.desk("006", code=False)
    office.desk("007", enabled=False)
    assert office.dial("nobody", "001").outcome == "unknown_phone"
    assert office.dial("desk001", "099").outcome == "unknown_extension"
    assert office.dial("desk001", "009").outcome == "unknown_extension"
    assert office.dial("desk001", "007").outcome == "unknown_extension"
    assert office.dial("desk007", "001").outcome == "unknown_phone"
    office.sit("001", "desk002")
    assert office.dial("desk002", "001").outcome == "already_here"
    assert office.dial("desk005", "002").outcome == "not_allowed"
    assert office.dial("desk002", "003").outcome == "occupied"
    assert office.dial("desk002", "006").outcome == "occupied"
    assert office.dial("desk003", "006").outcome == "no_code"
    office.sql("UPDATE extension SET locked_until = now() + interval '1 minute' WHERE number = '004'")
    assert office.dial("desk003", "004").outcome == "locked"
    assert office.guests() == {"desk002": "001"}


def test_the_checks_are_made_again_when_the_code_is_right(office: World) -> None:
    tried = office.attempt("desk003", "001", office.codes["0001", "001"])
    assert office.dial("desk003", "001").outcome == "code_needed"
    assert office.sit("002", "desk003").outcome == "virtualized"
    assert office.verifying.verify(tried).outcome == "occupied"


def test_an_unprovisioned_phone_is_unknown(office: World) -> None:
    office.sql("UPDATE phone SET base_id = NULL WHERE name = 'desk004'")
    assert office.dial("desk004", "001").outcome == "unknown_phone"
    assert office.dial("desk004").outcome == "unknown_phone"


def test_an_extension_without_a_phone_can_sit_anywhere(office: World) -> None:
    office.desk("010", phone=False)
    assert office.rings("010") is None
    assert office.sit("010", "desk001").outcome == "virtualized"
    assert office.rings("010") == "desk001"


def test_an_administrator_needs_no_code_but_stays_in_the_organization(office: World) -> None:
    office.organization("0002")
    office.desk("001", organization="0002")
    assert office.move("001", "desk002").outcome == "virtualized"
    assert office.move("001", "desk003", organization="0002").outcome == "unknown_extension"
    assert office.bring_home("001").outcome == "returned"
    assert office.bring_home("001").outcome == "nothing_to_return"
    assert office.bring_home("099").outcome == "unknown_extension"


def test_a_lock_does_not_stop_an_administrator(office: World) -> None:
    office.sql("UPDATE extension SET locked_until = now() + interval '1 hour' WHERE number = '001'")
    assert office.dial("desk002", "001").outcome == "locked"
    assert office.move("001", "desk002").outcome == "virtualized"


def test_each_row_names_the_phone_that_dialled_and_the_phone_that_was_left(office: World) -> None:
    office.sit("001", "desk002")
    office.sit("001", "desk003")
    office.dial("desk001")
    office.sit("001", "desk002")
    office.dial("desk001", "001")
    office.move("001", "desk002")
    office.bring_home("001")
    office.dial("ghost", "001")
    office.dial("desk004", "001", age=11)
    rows = office.rows("SELECT outcome, asked_from, phone, left_phone FROM journal ORDER BY at")
    assert rows == [
        ("virtualized", "desk002", "desk002", None),
        ("virtualized", "desk003", "desk003", "desk002"),
        ("returned", "desk001", "desk003", None),
        ("virtualized", "desk002", "desk002", None),
        ("returned", "desk001", "desk002", None),
        ("virtualized", None, "desk002", None),
        ("returned", None, "desk002", None),
        ("unknown_phone", "ghost", "ghost", None),
        ("expired", "desk004", "desk004", None),
    ]
    entries = journal_entries(office.database, phone="desk001")
    assert [(entry.outcome, entry.phone) for entry in entries] == [
        ("returned", "desk002"),
        ("returned", "desk003"),
    ]


def test_a_call_is_bound_only_with_the_proof_of_its_own_try(office: World) -> None:
    tried = office.attempt("desk002", "001", office.codes["0001", "001"])
    office.verifying.verify(tried)
    stolen = office.move("001", "desk003", origin="call", call=tried.call, organization=None)
    assert stolen.outcome == "wrong_code"
    assert office.guests() == {}


def test_a_proof_is_good_for_seconds(office: World) -> None:
    tried = office.attempt("desk002", "001", office.codes["0001", "001"])
    office.verifying.verify(tried)
    office.sql("UPDATE call SET proof_at = proof_at - interval '11 seconds'")
    stale = office.move(
        "001", "desk002", origin="call", call=tried.call, organization=None, request_id=tried.request_id
    )
    assert stale.outcome == "expired"
    assert office.guests() == {}


def test_a_request_older_than_its_limit_moves_nobody(office: World) -> None:
    code = office.codes["0001", "001"]
    assert office.key("desk002", "001", code, age=11).outcome == "expired"
    assert office.dial("desk002", age=11).outcome == "expired"
    assert office.dial("desk002", age=-60).outcome == "expired"
    assert office.guests() == {}


def test_a_repeat_of_a_refused_request_hears_the_same_refusal(office: World) -> None:
    once = new_id()
    office.sql("UPDATE extension SET allows_virtualization = false WHERE number = '002'")
    assert office.dial("desk002", "001", request_id=once).outcome == "not_allowed"
    office.sql("UPDATE extension SET allows_virtualization = true WHERE number = '002'")
    assert office.dial("desk002", "001", request_id=once).outcome == "not_allowed"


def test_a_change_that_would_be_recorded_too_late_is_refused_by_the_schema(office: World) -> None:
    with pytest.raises(Exception, match="in_time"):
        office.sql(
            "INSERT INTO journal (request_id, expires_at, origin, operation, outcome)"
            " VALUES ('x', clock_timestamp() - interval '1 ms', 'call', 'return', 'returned')"
        )


def test_what_moved_an_extension_is_the_same_in_sql(world: World) -> None:
    moved = {outcome for outcome in Outcome if world.value("SELECT is_move(%s)", outcome.value)}
    assert moved == CHANGED
