"""The main story over nodes of both kinds, with real phones and a real center."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.kamailio.mixed_office import MixedOffice
from tests.phone_cluster import SAYS_001


def test_an_extension_moves_across_kamailios_and_comes_home(office: MixedOffice) -> None:
    assert office.reaches("desk003", "001", "desk001") == ("003", "Person 003")
    heard = office.dial_center("desk002", "*30001", office.code("001"))
    assert (heard.outcome, heard.prompts) == ("virtualized", ["agent-pass", "agent-loginok", *SAYS_001])
    office.agree()
    for caller in ("desk003", "desk004"):
        office.reaches(caller, "001", "desk002")
    assert office.reaches("desk002", "003", "desk003") == ("001", "Person 001")
    assert office.reaches("desk002", "004", "desk004") == ("001", "Person 001")
    assert office.hears_mailbox("desk003", "002") == "unavailable"

    heard = office.dial_center("desk001", "*30")
    assert (heard.outcome, heard.prompts) == ("returned", ["agent-loggedoff", *SAYS_001])
    office.agree()
    office.reaches("desk004", "001", "desk001")
    assert office.reaches("desk002", "003", "desk003") == ("002", "Person 002")


def test_a_on_b_on_c_over_both_kinds(office: MixedOffice) -> None:
    """001 of k1 sits at the phone of 002 of k2, who sits at the Asterisk's."""
    office.sit("001", "desk002")
    office.sit("002", "desk004")
    office.reaches("desk003", "001", "desk002")
    office.reaches("desk003", "002", "desk004")
    assert office.hears_mailbox("desk003", "004") == "unavailable"
    assert office.dial_center("desk002", "*30").outcome == "returned"
    office.agree()
    office.reaches("desk004", "001", "desk001")
    office.reaches("desk003", "002", "desk004")
    assert office.dial_center("desk002", "*30").outcome == "returned"
    office.agree()
    office.reaches("desk001", "002", "desk002")
    office.reaches("desk001", "004", "desk004")
    assert office.dial_center("desk002", "*30").outcome == "nothing_to_return"


def test_three_wrong_codes_drop_the_call(office: MixedOffice) -> None:
    heard = office.dial_center("desk002", "*30001", "0000", "1111", "2222")
    assert heard.outcome == "dropped"
    assert heard.prompts == ["agent-pass", "vm-incorrect"] * 3 + ["goodbye"]
    assert office.world.value("SELECT failed_codes FROM extension WHERE number = '001'") == 3
    office.reaches("desk003", "001", "desk001")


def test_people_of_both_kinds_of_node_race_for_one_phone(office: MixedOffice) -> None:
    """The phone of 002 is at k2, that of 004 at the Asterisk; the phone that both want at k1."""
    won = {"002": 0, "004": 0}
    with ThreadPoolExecutor(2) as people:
        for race in range(25):
            numbers = ("002", "004") if race % 2 else ("004", "002")  # who is told first has a start
            outcomes = people.map(partial(office.ask_to_move, phone="desk003"), numbers)
            assert sorted(outcomes) == ["occupied", "virtualized"]
            ((phone, winner),) = office.world.guests().items()
            assert phone == "desk003"
            won[winner] += 1
            office.world.bring_home(winner)
    assert min(won.values()) > 0, "it was no race"
    office.sit("002", "desk003")
    office.reaches("desk004", "002", "desk003")
    office.reaches("desk001", "004", "desk004")


def test_the_second_media_node_is_asked_when_the_first_is_away(office: MixedOffice) -> None:
    office.telephony.asterisks["m1"].pause()
    try:
        assert office.dial_center("desk002", "*30001", office.code("001")).outcome == "virtualized"
        assert office.dial_center("desk002", "*30").outcome == "returned"
    finally:
        office.telephony.asterisks["m1"].resume()
        # It now hears of calls that were given up long ago.
        office.telephony.asterisks["m1"].restart()
        office.telephony.wait_for_trunks()
