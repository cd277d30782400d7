"""What people at phones of a Kamailio see and hear, and where their calls go."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial

import pytest

from localcluster.plain_call import PlainCall
from roost.pbx.kinds import connect
from roost.pbx.node import Gone
from tests.cluster import wait_until
from tests.kamailio.mixed_office import HOMES, RINGS, MixedOffice
from tests.stopwatch import stopwatch


def test_both_contacts_ring_and_each_side_sees_the_person(office: MixedOffice) -> None:
    office.world.sql("UPDATE extension SET name = 'Ana \"A\" O''Brien \\ Š' WHERE number IN ('011', '002')")
    office.sit("002", "desk012")
    odd = 'Ana "A" O\'Brien \\ Š'
    phone = office.telephony.plain_phone
    with phone("desk011") as caller, phone("desk012") as desk, phone("desk012") as soft:
        call = caller.dial("002")
        rings = [desk.wait_ring(), soft.wait_ring()]
        assert [ring.caller for ring in rings] == [(odd, "011")] * 2
        assert [ring.asserted for ring in rings] == [(odd, "011")] * 2
        call.wait_asserted(odd, "002")
        rings[0].answer()
        call.wait_up()
        rings[1].wait_over()
        told = {name.lower() for name, _ in rings[0].heard[0].headers}
        assert {name for name in told if name.startswith("x-roost")} == {"x-roost-to-phone"}
        call.hang_up()
        rings[0].wait_over()


def test_to_a_trunk_and_in_the_call_records_go_number_name_account_and_organization(
    office: MixedOffice,
) -> None:
    office.sit("001", "desk002")
    log = office.telephony.kamailios["k2"]
    logged = log.log_size()
    told = office.outside("desk002", "5551234")
    assert told == "outside <5551234> from <001> name <Person 001> account <acct-001>"
    office.reaches("desk002", "003", "desk003")
    wait_until(lambda: "called=0001*003" in log.logged_since(logged), "the call record")
    (record,) = [line for line in log.logged_since(logged).splitlines() if "called=0001*003" in line]
    assert "caller=001;account=acct-001;org=0001" in record


def test_whoever_withholds_their_number_is_anonymous_to_phones_and_known_to_trunks(
    office: MixedOffice,
) -> None:
    phone = office.telephony.plain_phone
    with phone("desk011") as caller, phone("desk012") as other, phone("desk013") as same:
        caller.more = (("Privacy", "id"),)
        for number, callee in (("012", other), ("013", same)):
            call = caller.dial(number)
            ring = callee.wait_ring()
            assert ring.caller == ("Anonymous", "anonymous")
            assert ring.asserted is None
            told = "".join(value for _, value in ring.heard[0].headers)
            assert "Person 011" not in told
            assert "sip:011@" not in told
            call.hang_up()
            ring.wait_over()
        log = office.media_log()
        call = caller.dial("5551234")
        call.wait_up()
        log.wait("outside <5551234> from <011> name <Person 011> account <acct-011>")
        call.hang_up()
        call = caller.dial("112")
        call.wait_up()
        log.wait("emergency <112> from <+15550011> name <Room desk011>")
        call.hang_up()


@pytest.mark.parametrize("number", ["012", "013"])
def test_a_session_is_renewed_by_either_party_before_its_timer_runs_out(
    office: MixedOffice, number: str
) -> None:
    """RFC 4028; through one Kamailio and through two."""
    timer = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Min-SE", "90"))
    with (
        office.telephony.plain_phone("desk011") as caller,
        office.telephony.plain_phone(f"desk{number}") as callee,
    ):
        caller.more = timer
        call = caller.dial(number)
        ring = callee.wait_ring()
        assert ring.heard[0]["Session-Expires"] == "90;refresher=uac"
        callee.more = timer[1:]
        ring.answer()
        call.wait_up()
        assert call.wait_status(200)["Session-Expires"] == "90;refresher=uac"
        for asks, asked, hears, heard in ((caller, call, callee, ring), (callee, ring, caller, call)):
            for method in ("INVITE", "UPDATE"):
                asks.renew(asked, method)
                hears.wait(
                    lambda heard=heard, method=method: any(  # type: ignore[misc]  # bound in the loop
                        m.method == method and not m.status and m["Session-Expires"] for m in heard.heard[1:]
                    ),
                    5,
                    f"the {method}",
                )
                asks.wait(
                    lambda asked=asked, method=method: any(  # type: ignore[misc]  # bound in the loop
                        m.method == method and m.status == 200 and m["CSeq"].startswith(f"{asked.sent} ")
                        for m in asked.heard
                    ),
                    5,
                    "its 200",
                )
        caller.more, callee.more = (), ()
        ring.hang_up()
        call.wait_over()


def test_busy_no_answer_and_cancel(office: MixedOffice) -> None:
    log = office.media_log()
    call = office.phones["desk001"].dial("002")
    office.phones["desk002"].wait_ring().reject()
    call.wait_over()
    log.wait("mailbox <0001*002> for <busy> from <001>")
    began = time.monotonic()
    call = office.phones["desk001"].dial("003")
    with stopwatch() as seconds:
        office.phones["desk003"].wait_ring().wait_over(20)
        assert seconds() < RINGS + 1
    assert time.monotonic() - began > RINGS - 0.5  # Kamailio counts in sixteenths of a second
    log.wait("mailbox <0001*003> for <noanswer> from <001>")
    call.wait_over()
    for number in ("003", "002", "004"):
        call = office.phones["desk001"].dial(number)
        ring = office.phones[f"desk{number}"].wait_ring()
        call.hang_up()
        ring.wait_over()


def test_a_phone_forwards_within_its_organization_and_not_for_ever(office: MixedOffice) -> None:
    phone, host = office.telephony.plain_phone, office.telephony.nodes["k1"].address
    with phone("desk011") as caller, phone("desk013") as away:
        away.forward = f"sip:002@{host}"
        call = caller.dial("013")
        office.phones["desk002"].wait_ring().answer()
        call.wait_up()
        call.hang_up()
        log = office.media_log()
        away.forward = f"sip:5559@{host}"
        call = caller.dial("013")
        call.wait_up()
        log.wait("outside <5559> from <011>")
        call.hang_up()
        for forbidden in ("013", "*30001", "112", "0002*002"):
            log = office.media_log()
            away.forward = f"sip:{forbidden}@{host}"
            call = caller.dial("013")
            call.wait_up()
            log.wait("mailbox <0001*013> for <unavailable>")
            call.hang_up()


def test_a_call_that_comes_back_from_another_node_stays_its_callers(office: MixedOffice) -> None:
    """A phone there forwards it to one here: this node sees the call twice, and the caller is the one that it saw first."""
    phone = office.telephony.plain_phone
    with phone("desk011") as caller, phone("desk012") as away, phone("desk013") as callee:
        away.forward = f"sip:013@{away.registrar}"
        call = caller.dial("012")
        ring = callee.wait_ring()
        assert ring.caller == ("Person 011", "011")
        ring.answer()
        call.wait_up()
        for asks, asked in ((caller, call), (callee, ring)):
            asks.renew(asked, "UPDATE")
            asks.wait(partial(_is_renewed, asked), 5, "a yes to its UPDATE")
        call.hang_up()
        ring.wait_over()


@pytest.mark.parametrize("contacts", [1, 2])
@pytest.mark.parametrize(("one", "other"), [("013", "014"), ("013", "012"), ("012", "014")])
@pytest.mark.parametrize("caller", ["desk001", "desk004"])
def test_forwards_in_a_circle_come_to_an_end(
    office: MixedOffice, one: str, other: str, caller: str, contacts: int
) -> None:
    """Of two phones of a Kamailio and an Asterisk, or of two Kamailios; each node alone sees every call for the first time."""
    with ExitStack() as phones:
        forwarders = [
            (phones.enter_context(office.telephony.plain_phone(f"desk{number}")), to)
            for number, to in ((one, other), (other, one))
            for _ in range(contacts)
        ]
        for phone, to in forwarders:
            phone.forward = f"sip:{to}@{phone.registrar}"
        log = office.media_log()
        call = office.phones[caller].dial(other)

        def calls() -> int:
            return sum(len(phone.forwarded) for phone, _ in forwarders)

        try:
            wait_until(lambda: "mailbox <" in log or calls() > 100, "the circle ends")
            call.wait_over()
            office.telephony.quiet()
        finally:
            for phone, _ in forwarders:
                phone.forward = ""
        assert 2 * contacts <= calls() < 100


@pytest.mark.parametrize("other", ["001", "002", "004"])
def test_either_party_transfers_and_it_is_routed_as_of_now(office: MixedOffice, other: str) -> None:
    """The other party's phone is of the same Kamailio, of another one, or of an Asterisk."""
    office.sit("013", "desk003")
    with office.telephony.plain_phone("desk011") as clerk:
        call = clerk.dial(other)
        office.phones[f"desk{other}"].wait_ring().answer()
        call.wait_up()
        _connected(office, other)
        clerk.request(call, "REFER", ("Refer-To", f"<sip:013@{clerk.registrar}>"))
        ring = office.phones["desk003"].wait_ring()
        assert (ring.caller_number, ring.caller_name) == (other, f"Person {other}")
        office.telephony.quiet()
        asking = office.phones[f"desk{other}"].dial("011")
        call = clerk.wait_ring()
        call.answer()
        asking.wait_up()
        _connected(office, other)
        clerk.request(call, "REFER", ("Refer-To", f"<sip:013@{clerk.registrar}>"))
        office.phones["desk003"].wait_ring().answer()
        office.telephony.quiet()


def _is_renewed(call: PlainCall) -> bool:
    return call.heard[-1].method == "UPDATE" and call.heard[-1].status == 200


def _connected(office: MixedOffice, number: str) -> None:
    """Nobody can be transferred sooner: an Asterisk answers a moment before it connects; phones of a Kamailio are connected at once."""
    home = HOMES[number]
    if home in office.telephony.asterisks:
        wait_until(
            lambda: office.telephony.asterisks[home].is_talking(f"desk{number}"), f"{number} is connected"
        )


def test_an_attended_transfer(office: MixedOffice) -> None:
    phone = office.telephony.plain_phone
    with phone("desk011") as clerk, phone("desk012") as boss:
        call = clerk.dial("001")
        office.phones["desk001"].wait_ring().answer()
        call.wait_up()
        consulted = clerk.dial("012")
        boss.wait_ring().answer()
        consulted.wait_up()
        clerk.request(call, "REFER", ("Refer-To", f"<{call.replacing(consulted)}>"))
        replaced = boss.wait_ring()
        assert replaced.caller == ("Person 001", "001")
        assert consulted.call_id in replaced.heard[0]["Replaces"]
        replaced.answer()


@pytest.mark.parametrize("state", ["at home", "guest", "host left", "no row", "no table"])
def test_an_emergency_call_goes_out_as_the_phone(office: MixedOffice, state: str) -> None:
    if state == "guest":
        office.sit("001", "desk002")
    elif state == "host left":
        office.sit("002", "desk003")
    elif state == "no row":
        node = connect(office.telephony.nodes["k2"].control, 5)
        node.apply([Gone("p", "desk002")], None)
        node.close()
    elif state == "no table":
        office.telephony.kamailios["k2"].rpc("htable.flush", "roost")
    told = office.outside("desk002", "112", "emergency")
    if state in {"no row", "no table"}:
        assert told.startswith("emergency <112> from <desk002>") or "from <+15550002>" in told
    else:
        assert told == "emergency <112> from <+15550002> name <Room desk002>"


def test_an_emergency_number_is_called_back_wherever_its_phone_is(office: MixedOffice) -> None:
    """From outside, by way of an Asterisk: all that share the number, or the one that called last."""
    office.sit("001", "desk002")
    call = office.phones["desk004"].dial("+15550002")
    office.phones["desk002"].wait_ring().answer()
    call.wait_up()
    office.telephony.quiet()
    office.world.sql("UPDATE phone SET emergency_number = '+15550100' WHERE name IN ('desk001', 'desk002')")
    office.agree()
    call = office.phones["desk004"].dial("+15550100")
    for phone in ("desk001", "desk002"):
        office.phones[phone].wait_ring()
    office.telephony.quiet()
    office.outside("desk001", "112", "emergency")
    call = office.phones["desk004"].dial("+15550100")
    office.phones["desk001"].wait_ring().answer()
    call.wait_up()
    assert not office.phones["desk002"].has_rung


def test_a_queue_rings_a_phone_and_neither_its_forward_nor_a_mailbox(office: MixedOffice) -> None:
    with office.telephony.plain_phone("desk013") as agent:
        log = office.media_log()
        agent.forward = f"sip:002@{office.telephony.nodes['k1'].address}"
        call = office.phones["desk004"].dial("700")
        call.wait_over()
        assert agent.forwarded
        assert not office.phones["desk002"].has_rung
        assert "mailbox <" not in log
