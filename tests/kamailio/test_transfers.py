"""Where a phone of a Kamailio may send the other party of its call, and where not: whoever is sent there dials in a name of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from localcluster.plain_call import PlainCall
from localcluster.plain_phone import PlainPhone
from localcluster.sip import SipMessage
from roost.pbx.kinds import connect
from roost.pbx.node import ActsAs, Change, Gone, Rings, key_of
from tests.cluster import wait_until
from tests.kamailio.mixed_office import HOMES, MixedOffice

#: Phones of other organizations, a phone, a mailbox, the feature code, an emergency call, and what nobody can dial.
FORBIDDEN = (
    "0002*001", "acme*001", "%61cme*001", "0002%2A001", "0001*014", "0002*001;x=1", "*desk014", "desk014", "vm-0002*001", "s", "external_replaces",
    "*30", "*30001", "%2A30001", "*30001%0d", "112", "11%32", "911", "",
)  # fmt: skip


@contextmanager
def told(office: MixedOffice, node: str, *changes: Change) -> Iterator[None]:
    """A node has other rows than Roost has told it, until the end."""
    with closing(connect(office.telephony.nodes[node].control, 5)) as adapter:
        before = adapter.dump()
        try:
            adapter.apply(changes, None)
            yield
        finally:
            adapter.apply([before.get(key_of(row)) or Gone(*key_of(row)) for row in changes], None)


@contextmanager
def connected(
    office: MixedOffice, caller: PlainPhone, number: str
) -> Iterator[tuple[PlainCall, list[SipMessage]]]:
    """A call in progress, and what the other party hears if its phone is one that shows it."""
    home = HOMES[number]
    if f"desk{number}" in office.phones:
        call = caller.dial(number)
        office.phones[f"desk{number}"].wait_ring().answer()
        call.wait_up()
        if home in office.telephony.asterisks:
            node = office.telephony.asterisks[home]
            wait_until(lambda: node.is_talking(f"desk{number}"), f"{number} is connected")
        yield call, []
    else:
        with office.telephony.plain_phone(f"desk{number}") as other:
            call = caller.dial(number)
            ring = other.wait_ring()
            ring.answer()
            call.wait_up()
            yield call, ring.heard
            ring.hang_up()
    call.hang_up()


def sent_on(phone: PlainPhone, call: PlainCall, to: str, name: str = "Refer-To") -> int:
    """How a transfer to this URI is answered."""
    phone.request(call, "REFER", (name, f"<{to}>"))

    def answers() -> list[int]:
        return [
            m.status
            for m in call.heard
            if m.method == "REFER" and m["CSeq"] == f"{call.sent} REFER" and m.status >= 200
        ]

    phone.wait(lambda: bool(answers()), 5, "an answer to the REFER")
    return answers()[0]


@pytest.mark.parametrize("number", ["004", "012", "013"])
def test_a_transfer_leads_only_where_its_phone_could_dial(office: MixedOffice, number: str) -> None:
    """Whoever is sent on is at an Asterisk, at another Kamailio, or at the same."""
    rows = (Rings("0002*001", "n1", "desk014"), Rings("acme*001", "n1", "desk014"))
    phone = office.telephony.plain_phone
    with told(office, "n1", *rows), phone("desk014") as stranger, phone("desk011") as clerk:
        with connected(office, clerk, number) as (call, heard):
            for place in FORBIDDEN:
                for more in ("", "?Replaces=guessed%3Bto-tag%3D1%3Bfrom-tag%3D2"):
                    assert sent_on(clerk, call, f"sip:{place}@{clerk.registrar}{more}") == 403, place + more
            for place in ("112", "11%32", "*30001", "0002*001"):
                to = f"sip:{place}@{clerk.registrar}?replaces={call.call_id}%3Bto-tag%3D1"
                assert sent_on(clerk, call, to) == 403, place
            assert sent_on(clerk, call, f"sip:112@{clerk.registrar}", "r") == 403
            assert sent_on(clerk, call, "tel:112") == 403
            assert not [m for m in heard if m.method == "REFER"]
            assert not stranger.rung
        assert office.silent()


def test_who_is_connected_is_of_the_organization_of_the_call(office: MixedOffice) -> None:
    """An attended transfer of two calls at an Asterisk; a call of another organization is none of them."""
    phone = office.telephony.plain_phone
    with (
        phone("desk011") as clerk,
        phone("desk014") as boss,
        phone("desk013") as stranger,
        connected(office, clerk, "004") as (call, _),
    ):
        with told(office, "k1", ActsAs("desk013", "0002", "013", "Stranger", "", "", "013", "", "")):
            theirs = stranger.dial("5551234")
            theirs.wait_up()
            assert sent_on(clerk, call, call.replacing(theirs)) == 403
            theirs.hang_up()
        consulted = clerk.dial("014")
        answer = boss.wait_ring()
        answer.answer()
        consulted.wait_up()
        n1 = office.telephony.asterisks["n1"]
        wait_until(lambda: n1.is_talking("desk014"), "014 is connected")
        assert sent_on(clerk, call, call.replacing(consulted)) == 202
        clerk.wait(
            lambda: any(m.body.startswith("SIP/2.0 200") for m in call.heard),
            5,
            "the end of the transfer",
        )
        assert n1.is_talking("desk004")
        assert n1.is_talking("desk014")
        answer.hang_up()


@pytest.mark.parametrize("how", ["caller", "callee", "guest", "by way of another"])
def test_who_sends_a_call_outside_pays(office: MixedOffice, how: str) -> None:
    """Whoever sits at the phone that sends it on: neither the other party nor who the phone names."""
    phone = office.telephony.plain_phone
    payer = "001" if how == "guest" else "011"
    if how == "guest":
        office.sit("001", "desk011")
    with phone("desk011") as clerk, phone("desk012") as away:
        away.forward = f"sip:004@{away.registrar}"
        if how == "callee":
            asking = office.phones["desk004"].dial("011")
            call = clerk.wait_ring()
            call.answer()
            asking.wait_up()
        else:
            call = clerk.dial("012" if how == "by way of another" else "004")
            office.phones["desk004"].wait_ring().answer()
            call.wait_up()
        n1 = office.telephony.asterisks["n1"]
        wait_until(lambda: n1.is_talking("desk004"), "004 is connected")
        log = office.media_log()
        clerk.request(
            call, "REFER", ("Refer-To", f"<sip:5551234@{clerk.registrar}>"),
            ("Referred-By", "<sip:0001*013*acct-013@roost.invalid>"), ("b", "<sip:0001*013*acct-013@roost.invalid>"),
        )  # fmt: skip
        log.wait(f"outside <5551234> from <004> name <Person 004> account <acct-{payer}>")
        call.hang_up()


def test_no_phone_hears_whose_account_it_would_be(office: MixedOffice) -> None:
    phone = office.telephony.plain_phone
    with phone("desk011") as clerk, phone("desk014") as other, connected(office, clerk, "004") as (call, _):
        assert sent_on(clerk, call, f"sip:014@{clerk.registrar}") == 202
        ring = other.wait_ring()
        assert ring.caller == ("Person 004", "004")
        assert not [
            value for _, value in ring.heard[0].headers if "acct-" in value or "roost.invalid" in value
        ]
