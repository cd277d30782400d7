"""What a caller sees of who is called, and which contacts ring."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until
from tests.asterisk.conftest import WITHHELD

if TYPE_CHECKING:
    from tests.asterisk.conftest import Cluster

NUMBERS = {"q1": "011", "q2": "012", "w1": "013", "w2": "014"}


def _shown(phone: str) -> tuple[str, str]:
    """How somebody at a plain phone is shown."""
    number = NUMBERS[phone]
    return ("Anonymous", "anonymous") if phone in WITHHELD else (f"Person {number[1:]}", number)


@pytest.mark.parametrize("callee", ["p1", "p3"], ids=["same node", "other node"])
def test_a_caller_sees_the_person_and_not_the_desk(cluster: Cluster, callee: str) -> None:
    """While it rings, and when it is answered: the extension that sits at the phone."""
    cluster.place("004", f"{'n1' if callee == 'p1' else 'n2'}/{callee}")
    cluster.speaks(callee, "004", "Jürg Ämne")
    with cluster.plain_phone("q1") as phone:
        call = phone.dial("004")
        ring = cluster.phones[callee].wait_ring()
        call.wait_status(180)
        call.wait_asserted("Jürg Ämne", "004")
        ring.answer()
        call.wait_up()
        assert call.asserted == ("Jürg Ämne", "004")


@pytest.mark.parametrize("callee", ["013", "014"], ids=["same node", "other node"])
def test_a_withheld_identity_stays_withheld(cluster: Cluster, callee: str) -> None:
    with ExitStack() as phones:
        phone = phones.enter_context(cluster.plain_phone("q1"))
        hidden = phones.enter_context(cluster.plain_phone("w1" if callee == "013" else "w2"))
        call = phone.dial(callee)
        ring = hidden.wait_ring()
        ring.answer()
        call.wait_up()
        assert not any(f"<sip:{callee}@" in message["P-Asserted-Identity"] for message in call.heard)
        call.hang_up()
        hidden.dial("011")
        name, number = phone.wait_ring().caller
        assert (name, number) == ("Anonymous", "anonymous")


@pytest.mark.parametrize(("desk", "dialled"), [("p2", "002"), ("p4", "004")], ids=["same node", "other node"])
@pytest.mark.parametrize(("caller", "target"), [("q1", "q2"), ("q2", "q1"), ("w1", "q1"), ("w2", "q1")])
def test_after_a_transfer_each_sees_the_person_at_the_other_end(
    cluster: Cluster, caller: str, desk: str, dialled: str, target: str
) -> None:
    """Blind, by who was called; a caller who withholds who they are stays withheld.

    The caller is told once who rings at another node: telling anything sooner, Asterisk would miss who answers at once.
    """
    with ExitStack() as phones:
        first = phones.enter_context(cluster.plain_phone(caller))
        other = phones.enter_context(cluster.plain_phone(target))
        call = first.dial(dialled)
        middle = cluster.phones[desk].wait_ring()
        middle.answer()
        call.wait_up()
        call.wait_asserted(f"Person {desk[1]}", dialled)
        cluster.wait_connected(caller, desk)
        log = cluster.logs("n1")
        middle.transfer(f"sip:{NUMBERS[target]}@{cluster.phones[desk].registrar}")
        ring = other.wait_ring()
        assert ring.caller == _shown(caller)
        ring.answer()
        call.wait_asserted(*_shown(target))
        if desk == "p2" and target == "q2":
            log.wait("Gosub(roost-answered-there,s,1) start")
        if desk == "p2":
            assert log.text.count("Gosub(roost-answered-there,s,1) start") == (target == "q2")


@pytest.mark.parametrize(("desk", "dialled"), [("p2", "002"), ("p4", "004")], ids=["same node", "other node"])
@pytest.mark.parametrize(("caller", "target"), [("q1", "w2"), ("q2", "w1")])
def test_who_withholds_themselves_is_not_seen_after_a_transfer_either(
    cluster: Cluster, caller: str, desk: str, dialled: str, target: str
) -> None:
    with ExitStack() as phones:
        first = phones.enter_context(cluster.plain_phone(caller))
        hidden = phones.enter_context(cluster.plain_phone(target))
        call = first.dial(dialled)
        middle = cluster.phones[desk].wait_ring()
        middle.answer()
        call.wait_up()
        cluster.wait_connected(caller, desk)
        middle.transfer(f"sip:{NUMBERS[target]}@{cluster.phones[desk].registrar}")
        hidden.wait_ring().answer()
        there = cluster.nodes[f"n{target[1]}"]
        wait_until(lambda: there.is_talking(target), 10, "the transfer is answered")
        call.hang_up()
        wait_until(lambda: not there.is_talking(target), 10, "all is over")
        for message in call.heard:
            for header in ("P-Asserted-Identity", "Remote-Party-ID", "From"):
                assert NUMBERS[target] not in message[header].partition("@")[0], (
                    "neither as name nor as number"
                )


def test_after_a_consultation_each_sees_the_person_at_the_other_end(cluster: Cluster) -> None:
    """Attended: a clerk at one node, who is called from the other."""
    with ExitStack() as phones:
        caller, clerk, other = (
            phones.enter_context(cluster.plain_phone(name)) for name in ("q2", "q1", "w1")
        )
        cluster.place("004", "n1/w1")
        cluster.speaks("w1", "004", "Person 4")
        call = caller.dial("011")
        ring = clerk.wait_ring()
        ring.answer()
        call.wait_up()
        question = clerk.dial("002")
        answered = cluster.phones["p2"].wait_ring()
        answered.answer()
        question.wait_up()
        cluster.wait_connected("q2")
        cluster.wait_connected("q1", calls=2)
        ring.transfer_to(question)
        call.wait_asserted("Person 2", "002")
        assert not other.rung


@pytest.mark.parametrize("forwarder", ["q1", "q2"], ids=["same node", "other node"])
def test_a_caller_who_is_forwarded_sees_the_person_that_answers(cluster: Cluster, forwarder: str) -> None:
    cluster.place("001", f"n{forwarder[1]}/{forwarder}")
    cluster.speaks("p3", "004", "Person 4")
    cluster.place("004", "n2/p3")
    with ExitStack() as phones:
        caller = phones.enter_context(cluster.plain_phone("w1" if forwarder == "q1" else "q1"))
        phone = phones.enter_context(cluster.plain_phone(forwarder))
        phone.forward = f"sip:004@{phone.registrar}"
        call = caller.dial("001")
        cluster.phones["p3"].wait_ring().answer()
        call.wait_asserted("Person 4", "004")


@pytest.mark.parametrize(
    ("code", "who", "where"), [("**001", "p2", "n1/p1"), ("**", "p4", "n1/p1"), ("**001", "p2", "n2/p3")]
)
def test_a_caller_sees_who_picked_the_call_up(cluster: Cluster, code: str, who: str, where: str) -> None:
    """On and across nodes: neither who was called, nor the desk."""
    cluster.place("001", where)
    with cluster.plain_phone("q1") as phone:
        call = phone.dial("001")
        cluster.phones[where[3:]].wait_ring()
        cluster.phones[who].dial(code)
        call.wait_asserted(f"Person {who[1]}", f"00{who[1]}")


@pytest.mark.parametrize("callee", ["q1", "q2"], ids=["same node", "other node"])
def test_every_contact_of_a_phone_rings_until_one_answers(cluster: Cluster, callee: str) -> None:
    """Desk phone and softphone of one endpoint; the caller sees the person before either answers."""
    number = "011" if callee == "q1" else "012"
    with ExitStack() as phones:
        caller = phones.enter_context(cluster.plain_phone("w1"))
        desk = phones.enter_context(cluster.plain_phone(callee))
        soft = phones.enter_context(cluster.plain_phone(callee))
        call = caller.dial(number)
        first, second = desk.wait_ring(), soft.wait_ring()
        call.wait_asserted(f"Person {number[1:]}", number)
        second.answer()
        call.wait_up()
        first.wait_over()
        assert not second.is_over


def test_a_contact_cannot_name_another_line(cluster: Cluster) -> None:
    """A phone chooses its contact: what stands in it after an & must not be dialled."""
    with cluster.plain_phone("q1") as phone:
        odd = f"sip:x&PJSIP/carrier/sip:y@{phone.address}"
        phone.register_as(odd)
        cluster.phones["p2"].dial("011")
        phone.wait_ring()
        assert not cluster.phones["carrier"].has_rung
        phone.register_as(odd, 0)


@pytest.mark.parametrize("name", ["é" * 60, "a" + "é" * 60, "日" * 40, '"' * 30 + "日" * 30])
def test_a_long_name_is_cut_between_characters(cluster: Cluster, name: str) -> None:
    cluster.speaks("p2", "002", name)
    cluster.phones["p2"].dial("003")
    shown = cluster.phones["p3"].wait_ring().caller_name
    assert shown
    assert name.startswith(shown)
    assert len(shown.encode()) > 40


@pytest.mark.parametrize("callee", ["p1", "p3"], ids=["same node", "other node"])
@pytest.mark.parametrize("name", ['Jo "Ace" O\'Neill', "back\\slash", "a, b; (c) <d>"])
def test_the_name_of_who_is_called_is_as_they_have_it(cluster: Cluster, name: str, callee: str) -> None:
    number = f"00{callee[1]}"
    cluster.speaks(callee, number, name)
    with cluster.plain_phone("q1") as phone:
        call = phone.dial(number)
        cluster.phones[callee].wait_ring().answer()
        call.wait_asserted(name, number)


@pytest.mark.parametrize("name", ["a" + "é" * 60, "日" * 40])
def test_the_long_name_of_who_is_called_is_cut_between_characters(cluster: Cluster, name: str) -> None:
    cluster.speaks("p3", "003", name)
    with cluster.plain_phone("q1") as phone:
        call = phone.dial("003")
        cluster.phones["p3"].wait_ring().answer()
        call.wait_up()
        assert call.asserted is not None
        shown, number = call.asserted
    assert number == "003"
    assert shown
    assert name.startswith(shown)
    assert len(shown.encode()) > 40


@pytest.mark.parametrize("name", ['Jo "Ace" O\'Neill', "back\\slash", "a, b; (c) <d> | e"])
def test_the_name_of_a_caller_is_as_they_have_it_in_a_queue_and_when_a_phone_is_called_back(
    cluster: Cluster, name: str
) -> None:
    """From n2 to the queue on n1, and to an agent who sits at n2; and from n1 to a phone of n2."""
    cluster.speaks("q1", "011", name)
    cluster.speaks("p4", "004", name)
    cluster.phones["p4"].dial("600")
    assert cluster.phones["p3"].wait_ring().caller_name == name
    with cluster.plain_phone("q1") as phone:
        for dialled in ("*783", "+15550193"):
            phone.dial(dialled)
            assert cluster.phones["p3"].wait_ring().caller_name == name
            phone.hang_up_all()


@pytest.mark.parametrize("dialled", ["*77014", "+15550194", "600"])
def test_who_withholds_themselves_is_not_seen_by_a_queue_or_who_calls_their_phone_back(
    cluster: Cluster, dialled: str
) -> None:
    """014 sits at w2, and withholds who they are."""
    cluster.place("003", "n2/w2")
    cluster.tell(cluster.row("w2")._replace(emergency_number="+15550194"))
    with ExitStack() as phones:
        caller = phones.enter_context(cluster.plain_phone("q1"))
        hidden = phones.enter_context(cluster.plain_phone("w2"))
        call = caller.dial(dialled)
        ring = hidden.wait_ring()
        assert ring.caller == ("Person 11", "011")
        ring.answer()
        call.wait_up()
        cluster.wait_connected("q1", "w2")
        call.hang_up()
        ring.wait_over()
        for message in call.heard:
            for header in ("P-Asserted-Identity", "Remote-Party-ID", "From"):
                assert "Person 14" not in message[header]
                assert "014@" not in message[header]


@pytest.mark.parametrize(
    ("dialled", "phone"),
    [("011", "q1"), ("012", "q2"), ("*77012", "q2"), ("+15550194", "q1"), ("+15550194", "q2")],
    ids=["same node", "other node", "as an agent", "called back", "called back at the other node"],
)
def test_a_phone_that_says_nothing_rings_for_the_caller(cluster: Cluster, dialled: str, phone: str) -> None:
    """Registered, but dead: the caller hears ringing at once."""
    cluster.tell(cluster.row(phone)._replace(emergency_number="+15550194"))
    with ExitStack() as phones:
        caller = phones.enter_context(cluster.plain_phone("w1"))
        dead = phones.enter_context(cluster.plain_phone(phone))
        dead.silent = True
        call = caller.dial(dialled)
        call.wait_status(180, 3)
        dead.silent = False
        ring = (
            dead.wait_ring()
        )  # the same call, sent again: Asterisk waits half a minute to cancel one that was never answered
        call.hang_up()
        ring.wait_over()
