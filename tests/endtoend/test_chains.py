"""Who rings where when several people sit at each other's phones."""

from __future__ import annotations

from tests.endtoend.office import Office


def test_a_on_b_on_c_and_star_30_twice_from_the_phone_of_b(office: Office) -> None:
    office.sit("001", "desk002")
    office.sit("002", "desk003")
    office.agree()
    office.reaches("desk004", "001", "desk002")
    office.reaches("desk004", "002", "desk003")
    office.reaches_nobody("desk004", "003")

    assert office.dial_center("desk002", "*30").outcome == "returned"
    office.agree()
    office.reaches("desk004", "001", "desk001")
    office.reaches("desk004", "002", "desk003")

    assert office.dial_center("desk002", "*30").outcome == "returned"
    office.agree()
    office.reaches("desk001", "002", "desk002")
    office.reaches("desk001", "003", "desk003")
    assert office.dial_center("desk002", "*30").outcome == "nothing_to_return"


def test_b_comes_home_while_d_sits_at_the_phone_of_b(office: Office) -> None:
    office.sit("002", "desk003")
    office.sit("004", "desk002")
    assert office.dial_center("desk003", "*30").outcome == "returned"
    office.agree()
    assert office.world.guests() == {"desk002": "004"}
    office.reaches("desk001", "004", "desk002")
    office.reaches_nobody("desk001", "002")

    assert office.dial_center("desk002", "*30").outcome == "returned"
    office.agree()
    office.reaches("desk001", "002", "desk002")
    office.reaches("desk001", "004", "desk004")


def test_a_displaced_guest_goes_home(office: Office) -> None:
    office.open(policy="displace")
    office.sit("001", "desk002")
    office.sit("003", "desk002")
    office.agree()
    office.reaches("desk004", "001", "desk001")
    office.reaches("desk004", "003", "desk002")
