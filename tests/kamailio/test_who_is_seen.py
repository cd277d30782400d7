"""Who each party of a call is shown as: by names with quotes in them, and when somebody withholds who they are.

Phones of one Kamailio, of two, and of a Kamailio and an Asterisk; called, transferred, and called back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from localcluster.plain_call import PlainCall
from localcluster.plain_phone import PlainPhone
from tests.cluster import wait_until
from tests.kamailio.mixed_office import HOMES, WITHHELD, MixedOffice

ODD = 'Ana "A" O\'Brien \\ Š'
ANONYMOUS = ("Anonymous", "anonymous")


@contextmanager
def _phones(office: MixedOffice, *numbers: str) -> Iterator[list[PlainPhone]]:
    """The registered phones of these, and no call left afterwards."""
    with ExitStack() as phones:
        yield [phones.enter_context(office.telephony.plain_phone(f"desk{number}")) for number in numbers]


def _hide(phone: PlainPhone) -> None:
    """Whoever is at the phone withholds who they are, in calls and in answers."""
    if phone.name not in WITHHELD:
        phone.more = (("Privacy", "id"),)


def _asserted(call: PlainCall) -> list[str]:
    return [value for message in call.heard for value in message.all("P-Asserted-Identity")]


def _renew(phone: PlainPhone, call: PlainCall) -> None:
    """Another offer is made in the call, and taken."""
    phone.renew(call)
    phone.wait(
        lambda: any(m.status == 200 and m["CSeq"] == f"{call.sent} INVITE" for m in call.heard), 5, "its 200"
    )


def _odd_names(office: MixedOffice) -> None:
    office.world.sql("UPDATE extension SET name = %s WHERE number BETWEEN '011' AND '014'", ODD)
    office.agree()


def _calm(office: MixedOffice, *numbers: str) -> None:
    """Wait until an Asterisk between them has connected them: it may offer something itself before, and two offers at once are refused (491)."""
    for number in numbers:
        if HOMES[number] == "n1":
            _connected(office, f"desk{number}")


def _connected(office: MixedOffice, endpoint: str) -> None:
    """A call of this phone or Kamailio is connected, in the eyes of the Asterisk that has phones."""
    wait_until(lambda: office.telephony.asterisks["n1"].is_talking(endpoint), f"{endpoint} is connected")


def test_names_with_quotes_are_as_people_have_them(office: MixedOffice) -> None:
    _odd_names(office)
    for caller, callee in (("011", "013"), ("011", "012"), ("011", "014"), ("014", "011")):
        with _phones(office, caller, callee) as (one, other):
            call = one.dial(callee)
            ring = other.wait_ring()
            assert ring.caller == (ODD, caller)
            call.wait_asserted(ODD, callee)
            ring.answer()
            call.wait_up()
            assert call.asserted == (ODD, callee)


def test_they_are_when_an_emergency_number_is_called_back(office: MixedOffice) -> None:
    """By way of an Asterisk: the phone that called last, or all that have the number."""
    _odd_names(office)
    with _phones(office, "014", "012") as (desk, phone):
        for is_known, shown in ((False, ("", "+15550012")), (True, (ODD, "012"))):
            if is_known:
                help_call = phone.dial("112")
                help_call.wait_up()
                help_call.hang_up()
            call = desk.dial("+15550012")
            ring = phone.wait_ring()
            assert ring.caller == (ODD, "014")
            ring.answer()
            call.wait_up()
            call.wait_asserted(*shown)
            call.hang_up()
            ring.wait_over()
        _hide(phone)
        call = desk.dial("+15550012")
        phone.wait_ring().answer()
        call.wait_up()
        assert not any(":012@" in told for told in _asserted(call))


def test_a_caller_who_withholds_who_they_are_is_anonymous(office: MixedOffice) -> None:
    """Also when the call goes on to somebody else, or another offer is made in it."""
    for caller, callee in (("011", "013"), ("011", "012"), ("011", "014"), ("015", "011"), ("015", "012")):
        with _phones(office, caller, callee) as (hidden, other):
            _hide(hidden)
            call = hidden.dial(callee)
            ring = other.wait_ring()
            assert ring.caller == ANONYMOUS
            ring.answer()
            call.wait_up()
            _calm(office, caller, callee)
            _renew(hidden, call)
            call.hang_up()
            ring.wait_over()
            told = "\n".join(value for message in ring.heard for _, value in message.headers)
            assert f"Person {caller}" not in told
            assert f":{caller}@" not in told


def test_a_callee_who_withholds_who_they_are_is_not_seen(office: MixedOffice) -> None:
    for caller, callee in (("011", "013"), ("011", "012"), ("011", "015"), ("014", "011")):
        with _phones(office, caller, callee) as (one, hidden):
            _hide(hidden)
            call = one.dial(callee)
            ring = hidden.wait_ring()
            ring.answer()
            call.wait_up()
            _calm(office, caller, callee)
            _renew(hidden, ring)
            ring.hang_up()
            call.wait_over()
            assert not any(f":{callee}@" in told for told in _asserted(call))


@pytest.mark.parametrize("hides", ["nobody", "the caller", "the target"])
def test_a_transfer_by_an_asterisk_shows_who_may_be_seen(office: MixedOffice, hides: str) -> None:
    """The Asterisk of who sends on, or of who is sent on, makes the new call."""
    _odd_names(office)
    for caller, middle, target in (("011", "014", "012"), ("012", "014", "013"), ("014", "011", "012")):
        if hides == "the caller" and caller == "014":
            caller = "015"  # noqa: PLW2901
        with _phones(office, caller, middle, target) as (one, clerk, other):
            if hides != "nobody":
                _hide(one if hides == "the caller" else other)
            call = one.dial(middle)
            ring = clerk.wait_ring()
            ring.answer()
            call.wait_up()
            _connected(office, f"desk{middle if middle == '014' else caller}")
            clerk.request(ring, "REFER", ("Refer-To", f"<sip:{target}@{clerk.registrar}>"))
            sent = other.wait_ring()
            assert sent.caller == (ANONYMOUS if hides == "the caller" else (ODD, caller))
            sent.answer()
            _connected(office, HOMES[target])
            if hides != "the target":
                call.wait_asserted(ODD, target)
            sent.hang_up()
            call.wait_over()
            if hides == "the target":
                assert not any(f":{target}@" in told for told in _asserted(call))
        office.telephony.quiet()
