"""Secret codes: tries, locks, and nothing that shows them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import cast

import pytest

from roost.moves.at_most_once import AtMostOnce, Wish
from roost.moves.dialogue import Action, AskDial, AskTry, Dialogue, End
from roost.moves.outcomes import Outcome
from roost.moves.requests import SetCode, Virtualize
from roost.moves.secret_codes import BadCode
from roost.moves.weak_codes import is_weak
from roost.seal import seal
from tests.world import World, new_id


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003")
    return world


def test_three_wrong_codes_drop_the_call(office: World) -> None:
    call = new_id()
    outcomes = [office.key("desk002", "001", office.wrong_code(), call=call).outcome for _ in range(3)]
    assert outcomes == ["wrong_code", "wrong_code", "dropped"]
    assert office.key("desk002", "001", office.codes["0001", "001"], call=call).outcome == "dropped"
    assert office.guests() == {}


@pytest.mark.parametrize("digits", ["", "12", "123456789", "12ab", "١٢٣٤"])
def test_no_input_and_what_cannot_be_a_code_count_as_wrong(office: World, digits: str) -> None:
    call = new_id()
    assert office.key("desk002", "001", digits, call=call).outcome == "wrong_code"
    assert office.value("SELECT tries FROM call WHERE id = %s", call) == 1


def test_an_empty_entry_uses_up_a_try_and_is_no_wrong_code(office: World) -> None:
    call = new_id()
    outcomes = [office.key("desk002", "001", "", call=call).outcome for _ in range(3)]
    assert outcomes == ["wrong_code", "wrong_code", "dropped"]
    assert office.value("SELECT failed_codes FROM extension WHERE number = '001'") == 0
    assert {row[-1] for row in office.journal()} == {"nothing_keyed"}


@pytest.mark.parametrize(
    ("dialled", "first"),
    [
        ("*30001#", AskDial("001")),
        ("*30#", AskDial("")),
        ("*30", AskDial("")),
        ("*31001", End(Outcome.FEATURE_CODE_DIFFERS)),
        ("*30##", End(Outcome.BAD_REQUEST)),
    ],
)
def test_what_was_dialled_with_and_without_the_hash_of_phones(dialled: str, first: Action) -> None:
    assert Dialogue(feature_code="*30", dialled=dialled, tries=3).start() == first


@pytest.mark.parametrize(("keyed", "sent"), [("4711#", "4711"), ("#", ""), ("", ""), ("4711", "4711")])
def test_a_hash_after_the_code_is_none_of_it(keyed: str, sent: str) -> None:
    dialogue = Dialogue(feature_code="*30", dialled="*30001", tries=3)
    dialogue.start()
    assert dialogue.keyed(keyed) == AskTry("001", sent)


def test_a_redelivered_try_does_not_count_twice(office: World) -> None:
    tried = office.attempt("desk002", "001", office.wrong_code())
    assert [office.verifying.verify(tried).outcome for _ in range(3)] == ["wrong_code"] * 3
    assert office.value("SELECT tries FROM call") == 1
    assert office.value("SELECT failed_codes FROM extension WHERE number = '001'") == 1


def test_a_redelivered_right_try_is_right_again_and_bound_once(office: World) -> None:
    tried = office.attempt("desk002", "001", office.codes["0001", "001"])
    assert [office.verifying.verify(tried).outcome for _ in range(2)] == ["code_right"] * 2
    move = {"origin": "call", "call": tried.call, "organization": None, "request_id": tried.request_id}
    assert [office.move("001", "desk002", **move).outcome for _ in range(2)] == ["virtualized"] * 2
    assert office.verifying.verify(tried).outcome == "virtualized"


def lasts(office: World, of: str) -> int | None:
    """Minutes until the lock of `of` (an extension's number, or a phone's name) is over; None: there is none."""
    table, column = ("phone", "name") if of.startswith("desk") else ("extension", "number")
    minutes = (
        f"SELECT round(extract(epoch FROM locked_until - now()) / 60)::int FROM {table} WHERE {column} = %s"
    )
    return cast("int | None", office.value(minutes, of))


def key_wrong(office: World, times: int, phone: str = "desk002", number: str = "001") -> list[str]:
    """What can be no code is wrong, and costs no hashing."""
    return [office.key(phone, number, "0").outcome for _ in range(times)]


def time_passes(office: World) -> None:
    for table in ("phone", "extension"):
        office.sql(f"UPDATE {table} SET locked_until = now() WHERE locked_until > now()")


def test_nine_wrong_codes_in_a_row_lock_the_phone_and_nobody_else(office: World) -> None:
    office.desk("004")
    key_wrong(office, 4)
    key_wrong(office, 5, number="003")
    assert lasts(office, "desk002") == 15
    assert office.dial("desk002", "001").outcome == "phone_locked"
    assert office.key("desk002", "001", office.codes["0001", "001"]).outcome == "phone_locked"
    assert office.sit("001", "desk003").outcome == "virtualized", "the extension moves from any other phone"
    assert office.move("004", "desk002").outcome == "virtualized", "a lock stops no administrator"
    assert office.dial("desk002").outcome == "returned", "nor *30"


def test_each_further_lock_lasts_twice_as_long_and_a_day_at_most(office: World) -> None:
    seen = []
    for _ in range(8):
        key_wrong(office, 9)
        seen.append(lasts(office, "desk002"))
        time_passes(office)
    assert seen == [15, 30, 60, 120, 240, 480, 960, 1440]
    assert office.sit("003", "desk002").outcome == "virtualized"
    office.dial("desk002")
    key_wrong(office, 9, number="003")
    assert lasts(office, "desk002") == 15, "a right code, of whichever extension, begins again"


@pytest.mark.parametrize("first", ["3 hours", "23:59:59", "3 days", "300 years"])
def test_a_wrong_code_counts_also_after_many_long_locks(office: World, first: str) -> None:
    office.sql("UPDATE organization SET lock_for = %s", first)
    office.sql("UPDATE phone SET locks = 30 WHERE name = 'desk002'")
    key_wrong(office, 9)
    assert office.dial("desk002", "001").outcome == "phone_locked"
    assert office.value(
        "SELECT locked_until - now() > least(%s, interval '23 hours') FROM phone WHERE name = 'desk002'",
        first,
    )


def test_twenty_seven_wrong_codes_from_several_phones_lock_the_extension(office: World) -> None:
    for phone in ("desk004", "desk005"):
        office.desk(phone.removeprefix("desk"))
    for phone in ("desk002", "desk003", "desk004"):
        key_wrong(office, 9, phone)
    assert lasts(office, "001") == 15
    assert office.dial("desk005", "001").outcome == "locked"
    assert office.key("desk005", "001", office.codes["0001", "001"]).outcome == "locked"
    assert office.dial("desk005", "003").outcome == "code_needed"
    time_passes(office)
    for phone in ("desk002", "desk003", "desk004"):
        key_wrong(office, 9, phone)
    assert lasts(office, "001") == 30
    time_passes(office)
    assert office.sit("001", "desk005").outcome == "virtualized"
    assert office.value("SELECT locks FROM extension WHERE number = '001'") == 0


def test_nobody_is_locked_out_from_one_phone_not_even_by_who_has_a_code_of_their_own(office: World) -> None:
    heard = set()
    for _ in range(9):
        heard.update(key_wrong(office, 8))
        assert office.sit("003", "desk002").outcome in {"virtualized", "phone_locked"}
        if lasts(office, "desk002"):
            break
        office.dial("desk002")
    assert heard == {"wrong_code", "phone_locked"}
    assert lasts(office, "desk002") == 15, "27 guesses at one extension lock the phone all the same"
    assert lasts(office, "001") is None
    assert office.sit("001", "desk003").outcome == "virtualized"


def test_tries_on_one_phone_at_once_do_not_get_past_the_lock(office: World) -> None:
    with ThreadPoolExecutor(4) as callers:
        heard = list(callers.map(lambda number: key_wrong(office, 6, number=number), ["001", "003"] * 2))
    assert Counter(chain.from_iterable(heard)) == {"wrong_code": 9, "phone_locked": 15}


def test_a_right_code_resets_the_counts(office: World) -> None:
    key_wrong(office, 8)
    assert office.sit("001", "desk002").outcome == "virtualized"
    key_wrong(office, 8, "desk003")
    assert office.dial("desk003", "001").outcome == "code_needed"
    counts = "SELECT failed_codes FROM phone WHERE name = %s"
    assert [office.value(counts, phone) for phone in ("desk002", "desk003")] == [0, 8]


def test_no_node_is_told_of_wrong_codes(office: World) -> None:
    office.sql("DELETE FROM route_dirty")
    key_wrong(office, 9)
    assert office.value("SELECT count(*) FROM route_dirty") == 0


def test_a_code_is_set_replaced_and_cleared(office: World) -> None:
    def put(digits: str | None) -> str:
        once = new_id()
        sealed = None if digits is None else seal(office.settings.need("seal_public_key"), once, digits)
        request = SetCode(
            request_id=once, origin="cli", made_at=office.now(), organization="0001", number="001",
            sealed_code=sealed,
        )  # fmt: skip
        return office.verifying.set_code(request).outcome

    assert put("4711") == "code_set"
    assert office.key("desk002", "001", "4711").outcome == "virtualized"
    assert put(None) == "code_cleared"
    assert office.guests() == {}, "a guest whose code is cleared goes home"
    assert office.dial("desk002", "001").outcome == "no_code"
    with pytest.raises(BadCode):
        put("12")
    assert [put(weak) for weak in ("1234", "3112", "0001")] == ["weak_code"] * 3
    assert office.journal()[-1] == ("set_code", "weak_code", "001", None, "")
    assert office.dial("desk002", "001").outcome == "no_code"
    office.sql("UPDATE organization SET allows_weak_codes = true")
    assert put("1234") == "code_set"


WEAK = [
    "0000", "1111", "99999", "1212", "123123", "12341234", "1122", "112233", "1234", "8765", "98765", "34567890",
    "7890", "2468", "8642", "1987", "2024", "3112", "1231", "2902", "240687", "870624", "24061987", "19870624",
    "2580", "0852", "147258", "1397", "159357", "0042", "4242", "00042", "42424242",
]  # fmt: skip
GOOD = [
    "4711", "24681", "13570", "8301", "2100", "1899", "3013", "300287", "31131987", "24068713", "1793428", "0043",
]  # fmt: skip


def test_codes_that_everybody_tries_first_are_weak_and_are_a_tenth_of_all() -> None:
    assert [code for code in WEAK if not is_weak(code, "042")] == []
    assert [code for code in GOOD if is_weak(code, "042")] == []
    assert 900 <= sum(is_weak(f"{code:04}", "042") for code in range(10_000)) <= 1100


def test_a_later_proof_of_the_same_call_does_not_spoil_an_earlier_one(office: World) -> None:
    call = new_id()
    tries = [office.attempt("desk002", "001", office.codes["0001", "001"], call=call) for _ in range(2)]
    assert [office.verifying.verify(tried).outcome for tried in tries] == ["code_right", "code_right"]
    moves = [Virtualize(**tried.model_dump(exclude={"sealed_code"})) for tried in tries]
    assert [office.binding.virtualize(move).outcome for move in moves] == ["virtualized", "already_here"]


def test_codes_appear_nowhere(office: World) -> None:
    office.sit("001", "desk002")
    digits = office.codes["0001", "001"]
    everything = (
        "SELECT string_agg(j::text, '') || (SELECT string_agg(e::text, '') FROM extension e) FROM journal j"
    )
    assert digits not in str(office.value(everything))
    assert digits not in repr(office.attempt("desk002", "001", digits))


def test_a_function_is_called_by_the_names_of_its_parameters_in_whatever_order(office: World) -> None:
    request = SetCode(
        request_id=new_id(), origin="cli", made_at=office.now(), organization="0001", number="001", sealed_code=None
    )  # fmt: skip
    answer = AtMostOnce(office.database, office.settings).settle(
        Wish(
            "set_code",
            request,
            "set_code",
            {},
            {
                "new_hash": "a hash",
                "short_number": "001",
                "organization_code": "0001",
                "is_weak": False,
            },
        )
    )
    assert (answer.outcome, answer.extension) == ("code_set", "0001*001")
    assert office.value("SELECT code_hash FROM extension WHERE number = '001'") == "a hash"
