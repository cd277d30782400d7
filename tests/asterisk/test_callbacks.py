"""Calls to a phone, whoever sits there, and an emergency number that is called back: from the nodes' tables alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.asterisk.conftest import Cluster

SHARED = "+15550190"


@pytest.fixture
def shared(cluster: Cluster) -> Cluster:
    """p2 and p3, of different nodes, have one emergency number, and nobody has called."""
    cluster.tell(*[cluster.row(phone)._replace(emergency_number=SHARED) for phone in ("p2", "p3")])
    for node in cluster.nodes.values():
        node.cli("database deltree roost-emergency")
    return cluster


def ring(cluster: Cluster, number: str, phones: Sequence[str]) -> None:
    """An outside call to this number rings these phones, and no other."""
    call = cluster.phones["carrier"].dial(number)
    for phone in phones:
        assert cluster.phones[phone].wait_ring().caller_number == "+15550100"
    call.hang_up()
    call.wait_over()
    assert not any(phone.has_rung for name, phone in cluster.phones.items() if name not in phones)


@pytest.mark.parametrize("phone", ["p1", "p3"], ids=["same node", "other node"])
def test_a_phone_is_rung_whoever_sits_there(cluster: Cluster, phone: str) -> None:
    """Reception, a door; and its emergency number, which is its own."""
    cluster.speaks(phone, "004", "Person 4")
    cluster.place("004", f"n{1 if phone == 'p1' else 2}/{phone}")
    cluster.phones["p2"].dial(f"*78{phone[1]}")
    cluster.phones[phone].wait_ring()
    cluster.quiet()
    ring(cluster, f"+1555019{phone[1]}", [phone])


def test_all_phones_of_an_emergency_number_ring(shared: Cluster) -> None:
    ring(shared, SHARED, ["p2", "p3"])


@pytest.mark.parametrize("phone", ["p2", "p3"], ids=["same node", "other node"])
def test_the_phone_that_called_last_is_called_back(shared: Cluster, phone: str) -> None:
    """Of several with one number; for an hour."""
    log = shared.logs("n1" if phone == "p2" else "n2")
    shared.phones[phone].dial("112")
    log.wait("roost-outgoing")
    shared.phones["carrier"].wait_ring()
    shared.quiet()
    ring(shared, SHARED, [phone])
    for node in shared.nodes.values():
        node.database_put("roost-emergency", SHARED, f"{phone}/1700000000")
    ring(shared, SHARED, ["p2", "p3"])


@pytest.mark.parametrize(
    ("first", "last"), [("p2", "p3"), ("p3", "p2")], ids=["other node last", "same node last"]
)
def test_of_phones_of_two_nodes_the_last_is_called_back(shared: Cluster, first: str, last: str) -> None:
    now = int(time.time())
    for node, phone in zip(shared.nodes.values(), ("p2", "p3"), strict=True):
        node.database_put("roost-emergency", SHARED, f"{phone}/{now - (60 if phone == last else 120)}")
    ring(shared, SHARED, [last])


@pytest.mark.parametrize("phone", ["q1", "q2"], ids=["same node", "other node"])
def test_when_the_phone_that_called_last_is_gone_the_others_are_called_back(
    shared: Cluster, phone: str
) -> None:
    """It is not registered any more."""
    shared.nodes[f"n{phone[1]}"].database_put("roost-emergency", SHARED, f"{phone}/{int(time.time())}")
    ring(shared, SHARED, ["p2", "p3"])


@pytest.mark.parametrize("has_called", [True, False])
def test_a_node_that_does_not_answer_holds_up_no_call_back(shared: Cluster, has_called: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """Whether or not a phone here made the last emergency call."""
    if has_called:
        shared.nodes["n1"].database_put("roost-emergency", SHARED, f"p2/{int(time.time())}")
    log = shared.logs("n2")
    shared.nodes["n2"].pause()
    try:
        ring(shared, SHARED, ["p2"])
    finally:
        shared.nodes["n2"].resume()
        shared.wait_for_trunks()
    # What it was asked meanwhile: it may ring a phone now, before it hears that the call is over.
    log.wait("callback-")


def test_a_number_that_was_changed_rings_nobody(cluster: Cluster, shared: Cluster) -> None:
    """Its entry is left behind in the node; the phone's row counts."""
    cluster.settle()
    call = cluster.phones["carrier"].dial(SHARED)
    call.wait_over()
    assert call.close_reason.startswith("404")
    assert not any(phone.has_rung for phone in shared.phones.values())
