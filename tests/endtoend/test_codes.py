"""Secret codes, keyed on real phones."""

from __future__ import annotations

import time

from tests.cluster import wait_until
from tests.endtoend.office import Office
from tests.phone_cluster import SAYS_001


def test_three_tries_drop_the_call_and_no_input_is_a_try_but_no_wrong_code(office: Office) -> None:
    heard = office.dial_center("desk002", "*30001", "0000", "", "123456789")
    assert heard.outcome == "dropped"
    assert heard.prompts == ["agent-pass", "vm-incorrect"] * 2 + ["agent-pass", "vm-incorrect", "goodbye"]
    assert office.world.value("SELECT failed_codes FROM extension WHERE number = '001'") == 2
    office.reaches("desk003", "001", "desk001")


def test_the_code_of_another_extension_is_wrong_and_the_right_one_after_it_is_right(office: Office) -> None:
    heard = office.dial_center("desk002", "*30001", office.code("003"), office.code("001"))
    assert (heard.outcome, heard.prompts) == (
        "virtualized",
        ["agent-pass", "vm-incorrect", "agent-pass", "agent-loginok", *SAYS_001],
    )
    assert office.world.value("SELECT failed_codes FROM extension WHERE number = '001'") == 0


def test_nine_wrong_codes_through_both_centers_lock_the_phone_and_it_can_still_go_home(
    office: Office,
) -> None:
    for center in (0, 1, 0):
        heard = office.call("desk002", "*30001", "0000", "0000", "0000", node="n2", center=center)
        assert heard.outcome == "dropped"
    heard = office.dial_center("desk002", "*30001")
    assert (heard.outcome, heard.prompts) == (
        "phone_locked", ["feature-not-avail-line", "please-try-call-later"],
    )  # fmt: skip
    assert office.dial_center("desk002", "*30").outcome == "nothing_to_return"


def test_wrong_codes_on_two_nodes_lock_the_extension(office: Office) -> None:
    office.world.sql("UPDATE organization SET lock_after = 6")
    for phone, node, center in (("desk003", "n1", 0), ("desk004", "n2", 1)):
        heard = office.call(phone, "*30001", "0000", "0000", "0000", node=node, center=center)
        assert heard.outcome == "dropped"
    heard = office.dial_center("desk002", "*30001")
    assert (heard.outcome, heard.prompts) == ("locked", ["vm-password", "de-activated"])


def test_a_code_without_the_hash_counts_after_its_last_digit_or_three_seconds_later(office: Office) -> None:
    """Codes of the tests have eight digits, the most: that one ends at once. `*30001#` and `*30#` are dialled as well as without."""
    assert office.dial_center("desk002", "*30001%23", office.code("001"), bare=True).outcome == "virtualized"
    assert office.dial_center("desk002", "*30%23").outcome == "returned"
    call, node = office.phones["desk003"].dial("*30002"), office.nodes["n1"]
    logged = node.log_size()
    call.wait_up()
    wait_until(lambda: "agent-pass" in node.logged_since(logged), "the code is asked for")
    call.send_dtmf("081")
    before = time.monotonic()
    call.send_dtmf("5")
    after = time.monotonic()
    wait_until(lambda: "vm-incorrect" in node.logged_since(logged), "it was wrong")
    assert before + 2.5 < time.monotonic() < after + 5
    call.hang_up()


def test_a_pause_amid_a_code_does_not_make_two_of_it_and_what_is_too_long_is_one_try(office: Office) -> None:
    call, node = office.phones["desk002"].dial("*30001"), office.nodes["n2"]
    logged = node.log_size()
    call.wait_up()
    wait_until(lambda: "agent-pass" in node.logged_since(logged), "the code is asked for")
    node.cli("agi set debug on")
    try:
        call.send_dtmf("08")
        # 3 s later, when a whole code would count.
        wait_until(lambda: 'AGI Rx << GET DATA "" ' in node.logged_since(logged), "the rest is awaited")
    finally:
        node.cli("agi set debug off")
    call.send_dtmf("15081547")  # ten digits, and no hash
    wait_until(lambda: node.logged_since(logged).count("agent-pass") == 2, "the code is asked for again")
    assert office.world.value("SELECT tries FROM call") == 1
    call.send_dtmf(f"{office.code('001')}")
    call.wait_over()
    assert office.world.guests() == {"desk002": "001"}
    assert office.world.value("SELECT tries FROM call") == 1


def test_no_digit_is_lost_while_the_center_is_late(office: Office) -> None:
    """Asterisk drops what is keyed while it has no command to do. Speed dials, and quick fingers, wait for nobody."""
    call, node = office.phones["desk002"].dial("*30001"), office.nodes["n2"]
    logged = node.log_size()
    call.wait_up()
    wait_until(lambda: "agent-pass" in node.logged_since(logged), "the code is asked for")
    centers = list(office.product.of_kind("center"))
    for center in centers:
        center.pause()
    try:
        call.send_dtmf(office.code("001"))
    finally:
        for center in centers:
            center.resume()
    call.wait_over()
    assert office.world.guests() == {"desk002": "001"}


def test_a_caller_who_hangs_up_while_a_code_is_asked_for_moves_nobody(office: Office) -> None:
    node = office.nodes["n2"]
    call = office.phones["desk002"].dial("*30001")
    call.wait_up()
    call.hang_up()
    node.wait_until_silent()
    assert office.world.guests() == {}
    assert office.dial_center("desk002", "*30").outcome == "nothing_to_return"
