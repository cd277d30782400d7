"""Emergency calls that somebody was sent to: the number and the place are those of the phone where they are who speak then."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until
from tests.asterisk.conftest import HOMES
from tests.asterisk.test_fraud import LIE, LIES, texts
from tests.asterisk.test_transfers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcluster.phones import PhoneCall
    from tests.asterisk.conftest import Cluster

SENDER = "p1"
OUTSIDE = ("+15550100", "Carrier")


@pytest.fixture(autouse=True)
def _nobody_is_called_back_later(cluster: Cluster) -> Iterator[None]:
    yield
    for node in cluster.nodes.values():
        node.cli("database deltree roost-emergency")


def at(phone: str) -> tuple[str, str]:
    """Number and name of an emergency call from this phone."""
    base = next(number for name, _, number in HOMES if name == phone)
    return f"+1555019{int(base)}", f"Floor 3: by the {phone}"


def is_helped(cluster: Cluster, expected: tuple[str, str]) -> PhoneCall:
    """The emergency services are called, and see this number and name."""
    ring = cluster.phones["carrier"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == expected
    return ring


def send(cluster: Cluster, call: PhoneCall, phone: str = SENDER) -> None:
    """This phone transfers the other party of its call."""
    call.transfer(f"sip:112@{cluster.phones[phone].registrar}")


@pytest.mark.parametrize("by", ["caller", "callee"])
@pytest.mark.parametrize(("caller", "callee"), [("p1", "p2"), ("p1", "p3"), ("p3", "p1")])
def test_the_place_is_that_of_who_was_transferred(
    cluster: Cluster, caller: str, callee: str, by: str
) -> None:
    """Blind, on and across nodes, whoever sits there: they stay on the line, not the one who sent them."""
    stays = callee if by == "caller" else caller
    cluster.speaks(stays, "002", "Person 2")
    call, ring = connect(cluster, caller, f"00{callee[1]}", callee)
    sends, phone = (call, caller) if by == "caller" else (ring, callee)
    send(cluster, sends, phone)
    is_helped(cluster, at(stays))


@pytest.mark.parametrize(
    ("forwarder", "first"), [("q1", "p2"), ("q1", "q2"), ("w2", "p2"), ("w2", "q2"), ("w2", "carrier")]
)
def test_the_place_is_that_of_who_called_a_phone_that_forwards(
    cluster: Cluster, forwarder: str, first: str
) -> None:
    """302."""
    cluster.place("001", f"n{forwarder[1]}/{forwarder}")
    with ExitStack() as phones:
        phone = phones.enter_context(cluster.plain_phone(forwarder))
        phone.forward = f"sip:112@{phone.registrar}"
        caller = phones.enter_context(cluster.plain_phone(first)) if first == "q2" else cluster.phones[first]
        caller.dial("+15559001" if first == "carrier" else "001")
        is_helped(cluster, OUTSIDE if first == "carrier" else at(first))


@pytest.mark.parametrize("dialled", ["600", "*75003"], ids=["queue", "Local channel"])
@pytest.mark.parametrize("caller", ["p2", "p4"], ids=["same node", "other node"])
def test_the_place_is_that_of_who_called_a_queue(cluster: Cluster, caller: str, dialled: str) -> None:
    cluster.place("003", f"n1/{SENDER}")
    cluster.speaks(SENDER, "003", "Person 3")
    _, ring = connect(cluster, caller, dialled, SENDER)
    send(cluster, ring)
    is_helped(cluster, at(caller))


def test_the_place_is_that_of_who_answered_behind_a_local_channel(cluster: Cluster) -> None:
    call, _ = connect(cluster, SENDER, "*75003", "p3")
    send(cluster, call)
    is_helped(cluster, at("p3"))


def test_who_calls_from_outside_keeps_their_number(cluster: Cluster) -> None:
    """They sit at no phone of ours; here the phone that sends them is of another node."""
    cluster.place("001", "n2/p3")
    _, ring = connect(cluster, "carrier", "+15559001", "p3")
    send(cluster, ring, "p3")
    is_helped(cluster, OUTSIDE)


def test_for_who_has_no_number_it_is_that_of_the_phone_that_sent_them(cluster: Cluster) -> None:
    """From outside, anonymous: at that phone somebody knows more."""
    _, ring = connect(cluster, "carrier", "+15559002", SENDER)
    send(cluster, ring)
    is_helped(cluster, at(SENDER))


def test_the_place_is_that_of_the_phone_and_not_where_its_person_rings(cluster: Cluster) -> None:
    """Somebody calls from the phone of 004, who sits at p2 now."""
    cluster.place("004", "n1/p2")
    cluster.speaks("p2", "004", "Person 4")
    _, ring = connect(cluster, "p4", "001", SENDER)
    send(cluster, ring)
    is_helped(cluster, at("p4"))


def test_who_withholds_themselves_is_found_all_the_same(cluster: Cluster) -> None:
    with cluster.plain_phone("w2") as hidden:
        call = hidden.dial("001")
        ring = cluster.phones[SENDER].wait_ring()
        ring.answer()
        call.wait_up()
        wait_until(partial(cluster.nodes["n1"].is_talking, SENDER), 10, "the two are connected")
        send(cluster, ring)
        is_helped(cluster, at("w2"))


@pytest.mark.parametrize(("who", "where"), [("q2", "n1/p2"), ("q1", "n2/p3")])
def test_the_place_is_that_of_who_picked_the_call_up(cluster: Cluster, who: str, where: str) -> None:
    cluster.place("007", where)
    call = cluster.phones[SENDER].dial("007")
    cluster.phones[where[3:]].wait_ring()
    with cluster.plain_phone(who) as colleague:
        taken = colleague.dial("**007")
        taken.wait_up()
        call.wait_up()
        wait_until(partial(cluster.nodes["n1"].is_talking, SENDER), 10, "the two are connected")
        send(cluster, call)
        is_helped(cluster, at(who))


def test_the_place_is_that_of_who_was_connected_by_a_consultation(cluster: Cluster) -> None:
    """p3 was connected with p1 by p4, of the same node: on the line between the nodes that p4 called by."""
    with cluster.plain_phone("q2") as clerk:
        call = clerk.dial("001")
        ring = cluster.phones[SENDER].wait_ring()
        ring.answer()
        call.wait_up()
        question = clerk.dial("003")
        cluster.phones["p3"].wait_ring().answer()
        question.wait_up()
        wait_until(lambda: cluster.nodes["n2"].talks("q2") == 2, 10, "both are connected")
        call.transfer_to(question)
        wait_until(lambda: not cluster.nodes["n2"].is_talking("q2"), 10, "the clerk is gone")
        send(cluster, ring)
        is_helped(cluster, at("p3"))


@pytest.mark.parametrize(
    ("clerk", "first", "is_early"),
    [
        ("q1", "p2", False),
        ("q1", "p4", True),
        ("q2", "p4", False),
        ("q2", "carrier", True),
    ],
)
def test_who_is_connected_by_a_consultation_is_shown_with_their_place(
    cluster: Cluster, clerk: str, first: str, *, is_early: bool
) -> None:
    """The clerk calls for help, as at the clerk's desk, and hands over: the emergency services are told where that is."""
    cluster.place("001", f"n{clerk[1]}/{clerk}")
    with ExitStack() as phones:
        desk = phones.enter_context(cluster.plain_phone(clerk))
        helper = phones.enter_context(cluster.plain_phone("w1"))
        outer = cluster.phones[first].dial("+15559001" if first == "carrier" else "001")
        call = desk.wait_ring()
        call.answer()
        outer.wait_up()
        question = desk.dial("911")
        asked = helper.wait_ring()
        assert asked.caller == at(clerk)[::-1]
        if is_early:
            question.wait_status(180)
            call.transfer(call.replacing(question))
            asked.answer()
        else:
            asked.answer()
            question.wait_up()
            wait_until(lambda: cluster.nodes[f"n{clerk[1]}"].talks(clerk) == 2, 10, "both are connected")
            call.transfer_to(question)
        place = OUTSIDE if first == "carrier" else at(first)
        asked.wait_asserted(*place[::-1])
        assert not outer.is_over
        assert not asked.is_over


def test_a_phone_without_a_number_in_roost_has_that_of_its_endpoint(cluster: Cluster) -> None:
    cluster.tell(cluster.row("p2")._replace(emergency_number="", emergency_location=""))
    call, _ = connect(cluster, SENDER, "002", "p2")
    send(cluster, call)
    is_helped(cluster, ("+15550102", "Desk 2"))


def test_a_phone_of_another_node_without_a_number_has_that_of_who_sent_it(cluster: Cluster) -> None:
    """And its own place."""
    cluster.tell(cluster.row("p3")._replace(emergency_number=""))
    call, _ = connect(cluster, SENDER, "003", "p3")
    send(cluster, call)
    is_helped(cluster, (at(SENDER)[0], at("p3")[1]))


def test_with_an_empty_database_the_call_goes_out(cluster: Cluster) -> None:
    call, _ = connect(cluster, SENDER, "003", "p3")
    cluster.forget()
    send(cluster, call)
    cluster.phones["carrier"].wait_ring()


@pytest.mark.parametrize("way_in", ["n1", "n2"])
def test_who_was_sent_is_called_back(cluster: Cluster, way_in: str) -> None:
    """p3, of another node than the one that made the emergency call, shares its number with p2."""
    cluster.tell(*[cluster.row(phone)._replace(emergency_number="+15550195") for phone in ("p2", "p3")])
    call, _ = connect(cluster, SENDER, "003", "p3")
    send(cluster, call)
    is_helped(cluster, ("+15550195", at("p3")[1]))
    cluster.quiet()
    caller = cluster.phones["carrier"] if way_in == "n1" else cluster.phones["p4"]
    caller.dial("+15550195")
    cluster.phones["p3"].wait_ring().answer()
    assert not cluster.phones["p2"].has_rung


def test_nothing_that_a_phone_says_of_itself_reaches_the_emergency_services(cluster: Cluster) -> None:
    with ExitStack() as phones:
        liar = phones.enter_context(cluster.plain_phone("q1"))
        helper = phones.enter_context(cluster.plain_phone("w1"))
        liar.local, liar.more = f'"Boss999" <sip:{liar.name}@elsewhere.example>', LIES
        liar.dial("911")
        ring = helper.wait_ring()
        assert ring.caller == at("q1")[::-1]
        assert not LIE.search(texts(ring.heard[0].headers))
