"""Attended transfers (REFER with Replaces: RFC 3891, RFC 5589) among phones of both kinds of node."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import pytest

from localcluster.plain_call import PlainCall
from localcluster.plain_phone import PlainPhone
from tests.cluster import wait_until
from tests.kamailio.mixed_office import HOMES, MixedOffice
from tests.kamailio.test_transfers import connected as called
from tests.kamailio.test_transfers import sent_on


def connected(
    office: MixedOffice, clerk: PlainPhone, number: str, other: PlainPhone | None, *, asks: bool
) -> PlainCall:
    """A call of the clerk with somebody, who calls if it `asks`; `other` is that one's phone, if it is a plain one."""
    phone = other or office.phones[f"desk{number}"]
    if asks:
        asking = phone.dial(clerk.name.removeprefix("desk"))
        call = clerk.wait_ring()
        call.answer()
        asking.wait_up()
    else:
        call = clerk.dial(number)
        phone.wait_ring().answer()
        call.wait_up()
    asterisk = office.telephony.asterisks["n1"]
    for name in (f"desk{number}", clerk.name):
        if HOMES[name.removeprefix("desk")] == "n1":
            wait_until(partial(asterisk.is_talking, name), f"{name} is connected")
    return call


@pytest.mark.parametrize(
    ("clerk", "number", "target", "how"),
    [
        ("011", "001", "013", "calls"), ("011", "002", "012", "is called"), ("011", "001", "014", "is called"),
        ("011", "002", "014", "calls"), ("011", "004", "013", "calls"), ("011", "004", "012", "is called"),
        ("011", "004", "014", "is called"), ("015", "001", "012", "calls"), ("015", "004", "013", "is called"),
    ],
)  # fmt: skip
def test_whoever_transfers_connects_the_two_others(
    office: MixedOffice, clerk: str, number: str, target: str, how: str
) -> None:
    """011, 001 and 013 have phones at one Kamailio, 002 and 012 at another, 004, 014 and 015 at an Asterisk."""
    asterisk = office.telephony.asterisks["n1"]
    with ExitStack() as phones:
        one, other = (
            phones.enter_context(office.telephony.plain_phone(f"desk{each}")) for each in (clerk, target)
        )
        call = connected(office, one, number, None, asks=how == "is called")
        consulted = connected(office, one, target, other, asks=how == "is called")
        assert sent_on(one, call, call.replacing(consulted)) in {200, 202}
        if {HOMES[target], HOMES[clerk]} <= office.telephony.kamailios.keys():
            ring = other.wait_ring()
            assert consulted.call_id in ring.heard[0]["Replaces"]
            assert ring.caller == (f"Person {number}", number)
            ring.answer()
        one.wait(
            lambda: any("SIP/2.0 200" in m.body for m in call.heard if m.method == "NOTIFY"),
            5,
            "the end of the transfer",
        )
        call.hang_up()
        consulted.hang_up()
        assert office.silent()
        for name in (f"desk{number}", f"desk{target}"):
            if HOMES[name.removeprefix("desk")] == "n1":
                assert asterisk.is_talking(name)


def test_who_cannot_be_connected_is_left_where_they_are(office: MixedOffice) -> None:
    """Two parties at two Asterisks, of which the one outside has no extension by which the other could reach it."""
    with (
        office.telephony.plain_phone("desk011") as clerk,
        called(office, clerk, "004") as (call, _),
    ):
        consulted = clerk.dial("5551234")
        consulted.wait_up()
        assert sent_on(clerk, call, call.replacing(consulted)) == 403
        assert office.telephony.asterisks["n1"].is_talking("desk004")
        consulted.hang_up()


def test_nobody_connects_others_by_the_name_of_a_call_that_is_not_theirs(office: MixedOffice) -> None:
    """They know its Call-ID, and not what its parties know of it."""
    phone = office.telephony.plain_phone
    with phone("desk011") as clerk, phone("desk013") as one, called(office, clerk, "004") as (call, _):
        theirs = one.dial("002")
        office.phones["desk002"].wait_ring().answer()
        theirs.wait_up()
        to = f"sip:002@{clerk.registrar}?Replaces={theirs.call_id}%3Bto-tag%3D1%3Bfrom-tag%3D2"
        assert sent_on(clerk, call, to) == 403
        theirs.hang_up()
