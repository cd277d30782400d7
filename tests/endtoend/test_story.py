"""The main story, with real phones: somebody sits down at another phone, and gets up again."""

from __future__ import annotations

from localcluster.plain_phone import PlainPhone
from tests.endtoend.office import Office
from tests.phone_cluster import SAYS_001


def test_an_extension_moves_to_the_phone_it_was_dialled_on(office: Office) -> None:
    assert office.reaches("desk003", "001", "desk001") == ("003", "Person 003")
    going_on = office.phones["desk004"].dial("001")
    answered = office.phones["desk001"].wait_ring()
    answered.answer()
    going_on.wait_up()

    heard = office.dial_center("desk002", "*30001", office.code("001"))
    assert (heard.outcome, heard.prompts) == ("virtualized", ["agent-pass", "agent-loginok", *SAYS_001])
    office.agree()

    for caller in ("desk003", "desk004"):  # on either node; 004 is in a call meanwhile
        office.reaches(caller, "001", "desk002")
    for callee in ("003", "004"):
        assert office.reaches("desk002", callee, f"desk{callee}") == ("001", "Person 001")
    office.reaches_nobody("desk003", "002")
    going_on.send_dtmf("7")
    assert answered.wait_dtmf(1) == "7"
    answered.hang_up()
    going_on.wait_over()


def test_star_30_from_the_phone_it_sits_on_brings_it_home(office: Office) -> None:
    office.sit("001", "desk002")
    office.agree()
    heard = office.dial_center("desk002", "*30")
    assert (heard.outcome, heard.prompts) == ("returned", ["agent-loggedoff", *SAYS_001])
    _everybody_is_home(office)


def test_star_30_from_its_own_phone_brings_it_home(office: Office) -> None:
    office.sit("001", "desk002")
    office.agree()
    heard = office.dial_center("desk001", "*30")
    assert (heard.outcome, heard.prompts) == ("returned", ["agent-loggedoff", *SAYS_001])
    _everybody_is_home(office)


def test_it_moves_on_to_a_third_phone_and_leaves_the_second_free(office: Office) -> None:
    office.sit("001", "desk002")
    office.agree()
    heard = office.dial_center("desk003", "*30001", office.code("001"))
    assert heard.outcome == "virtualized"
    office.agree()
    office.reaches("desk004", "001", "desk003")
    office.reaches("desk001", "002", "desk002")
    assert office.reaches("desk002", "004", "desk004") == ("002", "Person 002")
    office.reaches_nobody("desk004", "003")


def test_the_message_lamp_follows_to_a_phone_of_another_node_and_is_told_when_that_registers(
    office: Office,
) -> None:
    """Node n1 keeps the messages: a new one waits for 001."""
    inbox = office.nodes["n1"].folder / "spool/voicemail/0001/001/INBOX"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "msg0000.txt").write_text("[message]\n")
    office.world.desk("005", node="n2")
    office.agree()
    with office.telephony.plain_phone("desk005") as phone:
        _wait_lamp(phone, "Voice-Message: 0/0 (0/0)")
        office.sit("001", "desk005")
        _wait_lamp(phone, "Voice-Message: 1/0 (0/0)")
        phone.register()
        _wait_lamp(phone, "Voice-Message: 1/0 (0/0)")
        assert office.call("desk005", "*30", node="n2").outcome == "returned"
        _wait_lamp(phone, "Voice-Message: 0/0 (0/0)")


def test_a_lamp_is_told_when_the_node_with_the_messages_is_back(office: Office) -> None:
    """Node n1 keeps them, and is frozen while 001 sits down at a phone of n2."""
    inbox = office.nodes["n1"].folder / "spool/voicemail/0001/001/INBOX"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "msg0000.txt").write_text("[message]\n")
    office.world.desk("005", node="n2")
    office.agree()
    with office.telephony.plain_phone("desk005") as phone:
        _wait_lamp(phone, "Voice-Message: 0/0 (0/0)")
        office.nodes["n1"].pause()
        try:
            office.sit("001", "desk005")
        finally:
            office.nodes["n1"].resume()
        _wait_lamp(phone, "Voice-Message: 1/0 (0/0)")
    office.telephony.wait_for_trunks()


def _wait_lamp(phone: PlainPhone, counts: str) -> None:
    while counts not in phone.wait_told("message-summary", 30).body:
        pass


def _everybody_is_home(office: Office) -> None:
    office.agree()
    office.reaches("desk003", "001", "desk001")
    office.reaches("desk004", "001", "desk001")
    assert office.reaches("desk002", "003", "desk003") == ("002", "Person 002")
    office.reaches("desk001", "002", "desk002")
