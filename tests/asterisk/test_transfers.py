"""Transfers and forwards: routed as of now, in the organization of whoever transfers or forwards."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until

if TYPE_CHECKING:
    from localcluster.phones import PhoneCall
    from tests.asterisk.conftest import Cluster


def connect(cluster: Cluster, caller: str, number: str, callee: str) -> tuple[PhoneCall, PhoneCall]:
    """A call in progress: the caller's end and the callee's."""
    call = cluster.phones[caller].dial(number)
    ring = cluster.phones[callee].wait_ring()
    ring.answer()
    call.wait_up()
    for phone in (caller, callee):
        node = next(node for node in cluster.nodes.values() if phone in node.phones)
        wait_until(partial(node.is_talking, phone), 10, f"{phone} is connected")
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
    [("carrier", "+15559001", "p1"), ("p2", "001", "p1"), ("p4", "001", "p1")],
    ids=["outside", "same node", "other node"],
)
def test_the_callee_transfers_blindly(cluster: Cluster, caller: str, dialled: str, callee: str) -> None:
    call, ring = connect(cluster, caller, dialled, callee)
    ring.transfer(f"sip:003@{cluster.phones[callee].registrar}")
    cluster.phones["p3"].wait_ring().answer()
    assert call.is_up


def test_a_call_transferred_to_somebody_who_rings_nowhere_hears_so(cluster: Cluster) -> None:
    cluster.place("004", "-")
    call, other = connect(cluster, "p1", "+15550777", "carrier")
    log = cluster.logs("n1")
    call.transfer(f"sip:004@{cluster.phones['p1'].registrar}")
    log.wait("Playing 'vm-nobodyavail")
    other.wait_over()


def test_a_transfer_stays_in_the_organization_of_whoever_transfers(cluster: Cluster) -> None:
    """p2 is a phone of another organization; both have an extension 003."""
    cluster.speaks("p2", "002", "Stranger", "0002")
    cluster.place("002", "n1/p2", "0002")
    cluster.place("003", "n2/p4", "0002")
    call = cluster.phones["p2"].dial("+15559001")
    ring = cluster.phones["p1"].wait_ring()
    ring.answer()
    call.wait_up()
    wait_until(lambda: cluster.nodes["n1"].is_talking("p1"), 10, "the two are connected")
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


@pytest.mark.parametrize("consulted", ["001", "003"], ids=["same node", "other node"])
@pytest.mark.parametrize("first", ["dials", "is dialled"])
def test_a_phone_consults_and_connects(cluster: Cluster, consulted: str, first: str) -> None:
    """Attended, by the caller and by the callee: the two others stay connected."""
    with ExitStack() as phones:
        clerk = phones.enter_context(cluster.plain_phone("q1"))
        other = phones.enter_context(cluster.plain_phone("q2"))
        if first == "dials":
            call = clerk.dial("012")
            outer = other.wait_ring()
            outer.answer()
        else:
            outer = other.dial("011")
            call = clerk.wait_ring()
            call.answer()
        call.wait_up()
        question = clerk.dial(consulted)
        answered = cluster.phones["p1" if consulted == "001" else "p3"].wait_ring()
        answered.answer()
        question.wait_up()
        call.transfer_to(question)
        assert answered.is_up
        assert not outer.is_over
