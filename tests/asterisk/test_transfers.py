"""Transfers and forwards: routed as of now, in the organization of whoever transfers or forwards."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from localcluster.phones import PhoneCall
    from localcluster.plain_call import PlainCall
    from tests.asterisk.conftest import Cluster


def connect(cluster: Cluster, caller: str, number: str, callee: str) -> tuple[PhoneCall, PhoneCall]:
    """A call in progress: the caller's end and the callee's."""
    call = cluster.phones[caller].dial(number)
    ring = cluster.phones[callee].wait_ring()
    ring.answer()
    call.wait_up()
    cluster.wait_connected(caller, callee)
    return call, ring


@pytest.mark.parametrize(
    ("caller", "dialled", "callee"),
    [("p1", "+15550777", "carrier"), ("p1", "002", "p2"), ("p1", "003", "p3")],
    ids=["outside", "same node", "other node"],
)
@pytest.mark.parametrize("target", ["n1/q1", "n2/q2"])
def test_the_caller_transfers_blindly(
    cluster: Cluster, caller: str, dialled: str, callee: str, target: str
) -> None:
    """To an extension that sits away from its own phone, at this node or the other."""
    cluster.place("004", target)
    call, other = connect(cluster, caller, dialled, callee)
    with cluster.plain_phone(target[3:]) as phone:
        call.transfer(f"sip:004@{cluster.phones[caller].registrar}")
        ring = phone.wait_ring()
        ring.answer()
        assert other.is_up


@pytest.mark.parametrize(
    ("caller", "dialled", "callee"),
    [
        ("carrier", "+15559001", "p1"),
        ("p2", "001", "p1"),
        ("p4", "001", "p1"),
        ("p2", "003", "p3"),
        ("p4", "003", "p3"),
    ],
    ids=["outside", "same node", "other node", "from the other node", "all there"],
)
@pytest.mark.parametrize("target", ["n1/q1", "n2/q2"])
def test_the_callee_transfers_blindly(
    cluster: Cluster, caller: str, dialled: str, callee: str, target: str
) -> None:
    """To an extension that sits away from its own phone, at this node or the other."""
    cluster.place("002", target)
    call, ring = connect(cluster, caller, dialled, callee)
    with cluster.plain_phone(target[3:]) as phone:
        ring.transfer(f"sip:002@{cluster.phones[callee].registrar}")
        phone.wait_ring().answer()
        assert call.is_up


@pytest.mark.parametrize("who", ["caller", "callee"])
@pytest.mark.parametrize("phone", ["p2", "p4"], ids=["same node", "other node"])
def test_a_call_is_transferred_outside(cluster: Cluster, who: str, phone: str) -> None:
    """By either; who stays is the caller there."""
    call, ring = connect(cluster, phone, "001", "p1")
    sends, stays = (call, ring) if who == "caller" else (ring, call)
    home = cluster.phones[phone if who == "caller" else "p1"].registrar
    sends.transfer(f"sip:+15550777@{home}")
    outside = cluster.phones["carrier"].wait_ring()
    assert outside.caller_number == ("001" if who == "caller" else f"00{phone[1]}")
    outside.answer()
    assert stays.is_up


@pytest.mark.parametrize(
    ("caller", "dialled", "callee", "by"),
    [
        ("p1", "+15550777", "carrier", "caller"),
        ("p1", "003", "p3", "caller"),
        ("carrier", "+15559001", "p1", "callee"),
        ("p4", "001", "p1", "callee"),
    ],
    ids=["to outside", "to the other node", "from outside", "from the other node"],
)
def test_a_call_transferred_to_somebody_who_rings_nowhere_hears_so(
    cluster: Cluster, caller: str, dialled: str, callee: str, by: str
) -> None:
    """From the node of whoever transfers: p1."""
    cluster.place("002", "-")
    call, ring = connect(cluster, caller, dialled, callee)
    sends, stays = (call, ring) if by == "caller" else (ring, call)
    log = cluster.logs("n1")
    sends.transfer(f"sip:002@{cluster.phones['p1'].registrar}")
    log.wait("Playing 'vm-nobodyavail")
    stays.wait_over()


def test_who_was_transferred_to_transfers_again(cluster: Cluster) -> None:
    """From phone to phone, over both nodes, and home again."""
    call, ring = connect(cluster, "carrier", "+15559001", "p1")
    for at, number, phone in (("p1", "003", "p3"), ("p3", "002", "p2"), ("p2", "004", "p4")):
        ring.transfer(f"sip:{number}@{cluster.phones[at].registrar}")
        ring = cluster.phones[phone].wait_ring()
        ring.answer()
        cluster.wait_connected(phone)
    assert call.is_up


def test_a_transfer_stays_in_the_organization_of_whoever_transfers(cluster: Cluster) -> None:
    """p2 is a phone of another organization; both have an extension 003."""
    cluster.speaks("p2", "002", "Stranger", "0002")
    cluster.place("002", "n1/p2", "0002")
    cluster.place("003", "n2/p4", "0002")
    call = cluster.phones["p2"].dial("+15559001")
    ring = cluster.phones["p1"].wait_ring()
    ring.answer()
    call.wait_up()
    cluster.wait_connected("p2", "p1")
    ring.transfer(f"sip:003@{cluster.phones['p1'].registrar}")
    cluster.phones["p3"].wait_ring()
    assert not cluster.phones["p4"].has_rung


@pytest.mark.parametrize("caller", ["p2", "p4", "carrier"])
@pytest.mark.parametrize("forwarder", ["q1", "q2"])
def test_a_phone_forwards_a_call_by_itself(cluster: Cluster, caller: str, forwarder: str) -> None:
    """A 302, from a phone of either node, for callers of either node and from outside."""
    cluster.place("001", "n1/q1" if forwarder == "q1" else "n2/q2")
    with cluster.plain_phone(forwarder) as phone:
        phone.forward = f"sip:003@{phone.registrar}"
        cluster.phones[caller].dial("+15559001" if caller == "carrier" else "001")
        ring = cluster.phones["p3"].wait_ring()
    assert ring.caller_number == {"p2": "002", "p4": "004", "carrier": "+15550100"}[caller]


@pytest.mark.parametrize(("target", "place"), [("+15550777", ""), ("004", "n1/p1"), ("004", "-")])
@pytest.mark.parametrize("forwarder", ["q1", "q2"])
def test_a_phone_forwards_to_wherever_the_target_is_now(
    cluster: Cluster, forwarder: str, target: str, place: str
) -> None:
    """A 302 to a number outside, to somebody who sits away, and to one who rings nowhere."""
    cluster.place("001", f"n{forwarder[1]}/{forwarder}")
    if place:
        cluster.place(target, place)
    with cluster.plain_phone(forwarder) as phone:
        phone.forward = f"sip:{target}@{phone.registrar}"
        log = cluster.logs(f"n{forwarder[1]}")
        call = cluster.phones["p2"].dial("001")
        if place == "-":
            log.wait("Playing 'vm-nobodyavail")
            call.wait_over()
        else:
            ring = cluster.phones["p1" if place else "carrier"].wait_ring()
            assert ring.caller_number == "002"


@pytest.mark.parametrize(
    ("forwarder", "number"),
    [("q1", "011"), ("w1", "013"), ("w2", "014")],
    ids=["shown", "withheld", "withheld at the other node"],
)
def test_who_is_forwarded_to_sees_by_whom_unless_that_is_withheld(
    cluster: Cluster, forwarder: str, number: str
) -> None:
    """The person, in Diversion."""
    with ExitStack() as phones:
        phone = phones.enter_context(cluster.plain_phone(forwarder))
        target = phones.enter_context(cluster.plain_phone("q2"))
        phone.forward = f"sip:012@{phone.registrar}"
        cluster.phones["p2"].dial(number)
        invite = target.wait_ring().heard[0]
        assert invite["Diversion"].startswith('"Person 11" <sip:011@') == (forwarder == "q1")
        assert f"Person {number[1:]}" not in invite["Diversion"] or forwarder == "q1"
        assert number not in invite["Diversion"] or forwarder == "q1"


@pytest.mark.parametrize("clerk", ["q1", "q2"])
@pytest.mark.parametrize("consulted", ["001", "003", "004"], ids=["at home", "other node", "away"])
@pytest.mark.parametrize("first", ["dials", "is dialled", "from outside"])
def test_a_phone_consults_and_connects(cluster: Cluster, clerk: str, consulted: str, first: str) -> None:
    """Attended, by the caller and by the callee: the two others stay connected."""
    cluster.place("004", "n1/p2")
    with ExitStack() as phones:
        desk = phones.enter_context(cluster.plain_phone(clerk))
        number, others = f"01{clerk[1]}", "q2" if clerk == "q1" else "q1"
        outer: PhoneCall | PlainCall
        if first == "from outside":
            cluster.place("001", f"n{clerk[1]}/{clerk}")
            cluster.place("002", "n1/p1")
            outer = cluster.phones["carrier"].dial("+15559001")
            call = desk.wait_ring()
            call.answer()
            consulted = "002" if consulted == "001" else consulted
        elif first == "dials":
            other = phones.enter_context(cluster.plain_phone(others))
            call = desk.dial(f"01{others[1]}")
            outer = other.wait_ring()
            outer.answer()
        else:
            other = phones.enter_context(cluster.plain_phone(others))
            outer = other.dial(number)
            call = desk.wait_ring()
            call.answer()
        call.wait_up()
        question = desk.dial(consulted)
        answered = cluster.phones[{"003": "p3", "004": "p2"}.get(consulted, "p1")].wait_ring()
        answered.answer()
        question.wait_up()
        cluster.wait_connected(clerk, calls=2)
        call.transfer_to(question)
        assert answered.is_up
        assert not outer.is_over


@pytest.mark.parametrize(
    ("first", "clerk", "consulted", "answers"),
    [
        ("dials", "q1", "001", True),
        ("is dialled", "q1", "003", True),
        ("is dialled", "q2", "001", True),
        ("dials", "q2", "003", True),
        ("is dialled", "q1", "007", False),
        ("dials", "q2", "007", False),
    ],
)
def test_a_phone_connects_while_the_other_still_rings(
    cluster: Cluster, first: str, clerk: str, consulted: str, *, answers: bool
) -> None:
    """REFER with Replaces of an early dialog: who waits is called on, and hears the mailbox where nobody answers."""
    cluster.place("007", "n1/p1")
    others = "q2" if clerk == "q1" else "q1"
    with ExitStack() as phones:
        desk, other = (phones.enter_context(cluster.plain_phone(name)) for name in (clerk, others))
        dials, rings = (desk, other) if first == "dials" else (other, desk)
        dialled = dials.dial(f"01{others[1] if first == 'dials' else clerk[1]}")
        rung = rings.wait_ring()
        rung.answer()
        dialled.wait_up()
        call, outer = (dialled, rung) if first == "dials" else (rung, dialled)
        cluster.wait_connected(clerk, others)
        question = desk.dial(consulted)
        ring = cluster.phones["p3" if consulted == "003" else "p1"].wait_ring()
        question.wait_asserted(*(("Person 3", "003") if consulted == "003" else ("Person 1", "001")))
        log = cluster.logs(f"n{clerk[1]}")
        call.transfer(call.replacing(question))
        question.wait_over()
        if answers:
            ring.answer()
            cluster.wait_connected(f"p{consulted[2]}")
            assert not outer.is_over
        else:
            ring.reject()
            log.wait("voicemail of 0001*007: busy")
            outer.wait_over()
