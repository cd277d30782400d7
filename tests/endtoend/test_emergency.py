"""An emergency call says where the phone is, whoever sits there."""

from __future__ import annotations

from tests.endtoend.office import Office

PLACE = 'Floor 3, "East": 50%'


def test_an_emergency_call_keeps_the_identity_of_the_phone(office: Office) -> None:
    office.world.sql(
        "UPDATE phone SET emergency_number = %s, emergency_location = %s WHERE name = 'desk002'",
        "+15550192", PLACE,
    )  # fmt: skip
    office.sit("001", "desk002")
    office.agree()
    office.phones["desk002"].dial("112")
    ring = office.phones["carrier"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("+15550192", PLACE)
    office.phones["desk002"].hang_up_all()

    assert office.reaches("desk002", "+15550777", "carrier") == ("001", "Person 001")
