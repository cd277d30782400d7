"""People move between a plain Asterisk and two FreePBX boxes, with real phones, codes and calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from localcluster.phones import PhoneFailed
from localcluster.process import wait_until
from tests.freepbx.mixed_office import Mixed

RACES = 12


def test_the_main_story_over_three_nodes(mixed: Mixed) -> None:
    """1001 of one box sits down at a phone of the other, dialling *30 on a real phone: a rival has that code, too."""
    assert mixed.reaches("1002", "1001", "1001") == ("1002", "Person 1002")
    heard = mixed.dial_center("1101", "*301001", mixed.code("1001"))
    assert heard.outcome == "virtualized"
    mixed.agree()
    for caller in ("1002", "2001", "1102"):
        mixed.reaches(caller, "1001", "1101")
    for callee in ("1002", "2001", "1102"):
        assert mixed.reaches("1101", callee, callee) == ("1001", "Person 1001")
    mixed.reaches_the_mailbox("1002", "1101")
    assert mixed.reaches("1101", "+15550777", "carrier-f2") == ("+155591001", "Person 1001")

    assert mixed.dial_center("1001", "*30").outcome == "returned"
    mixed.agree()
    mixed.reaches("1102", "1001", "1001")
    mixed.reaches("1002", "1101", "1101")


@pytest.mark.parametrize(("number", "phone", "caller"), [("2001", "1002", "1101"), ("1001", "2002", "1102")])
def test_between_a_box_and_a_plain_asterisk(mixed: Mixed, number: str, phone: str, caller: str) -> None:
    mixed.sit(number, phone)
    mixed.agree()
    assert mixed.reaches(caller, number, phone) == (caller, f"Person {caller}")
    assert mixed.reaches(phone, caller, caller) == (number, f"Person {number}")


def test_a_chain_and_star_30_twice(mixed: Mixed) -> None:
    mixed.sit("1001", "1002")
    mixed.sit("1002", "1101")
    mixed.agree()
    mixed.reaches("2001", "1001", "1002")
    mixed.reaches("2001", "1002", "1101")
    mixed.reaches_the_mailbox("1102", "1101")
    assert mixed.dial_center("1002", "*30").outcome == "returned"
    mixed.agree()
    mixed.reaches("1102", "1001", "1001")
    assert mixed.dial_center("1002", "*30").outcome == "returned"
    mixed.agree()
    mixed.reaches("1001", "1002", "1002")
    mixed.reaches("1001", "1101", "1101")


def test_three_wrong_codes_move_nobody(mixed: Mixed) -> None:
    assert mixed.dial_center("1002", "*301001", "0000", "0001", "0002").outcome == "dropped"
    mixed.agree()
    assert mixed.world.guests() == {}


def test_two_race_for_a_phone_of_a_box(mixed: Mixed) -> None:
    """One from the other box, one from the plain Asterisk: one of them sits there, and every node says so."""
    with ThreadPoolExecutor(2) as people:
        for _ in range(RACES):
            assert sorted(people.map(partial(mixed.ask_to_move, phone="1002"), ("1101", "2001"))) == [
                "occupied",
                "virtualized",
            ]
            (winner,) = mixed.world.guests().values()
            mixed.agree()
            assert mixed.box().ask(["/DEVICE/1002/user"]) == {"/DEVICE/1002/user": winner}
            assert mixed.call("1002", "*30", node="f1").outcome == "returned"
    mixed.agree()


def test_a_blind_transfer_does_not_reach_the_feature_code(mixed: Mixed) -> None:
    """Whoever is sent to *30 by somebody else would be asked for a code."""
    box = mixed.nodes["f1"]
    call = mixed.phones["1002"].dial("1001")
    ring = mixed.phones["1001"].wait_ring()
    ring.answer()
    call.wait_up()
    wait_until(lambda: box.is_talking("1002"), 10, "the two are connected")
    logged = box.log_size()
    with pytest.raises(PhoneFailed):
        call.transfer(f"sip:*301001@{mixed.phones['1002'].registrar}")
    assert "agi://" not in box.logged_since(logged)


def test_a_queue_and_a_lamp_follow(mixed: Mixed) -> None:
    """The member is the user; its lamp says whether it can be rung, wherever it sits on the box."""
    mixed.sit("1001", "1002")
    box = mixed.box()
    assert box.lamp("1001").startswith("PJSIP/1002&Custom:DND1001")
    caller = mixed.phones["1009"].dial("600")
    caller.wait_up()
    ring = mixed.phones["1002"].wait_ring()
    ring.answer()
    wait_until(lambda: "In use" in box.cli("queue show support"), 10, "the member in a call")
    assert mixed.silent()


def test_the_bill_names_who_sits_there_on_the_box_that_has_the_hook(mixed: Mixed) -> None:
    mixed.sit("1001", "1002")
    mixed.sit("2001", "1101")
    assert _billed(mixed, "1002") == "1001"
    assert _billed(mixed, "1101") == ""


def _billed(house: Mixed, phone: str) -> str:
    """Somebody calls the world from this phone; the account of the call on its node's bill."""
    node = house.nodes[house.home(phone)]
    known = len(node.cdr())  # what came before may be written meanwhile

    def accounts() -> list[str]:
        return [record[0] for record in node.cdr()[known:] if record[2] == "+15550777"]

    house.reaches(phone, "+15550777", f"carrier-{node.name}")
    wait_until(lambda: accounts() != [], 10, "the call is on the bill")
    (account,) = accounts()
    return account
