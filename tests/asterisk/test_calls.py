"""Calls between phones, through the dialplan that operators include."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until

if TYPE_CHECKING:
    from tests.asterisk.conftest import Cluster


def nobody_rang(cluster: Cluster, *but: str) -> bool:
    return not any(phone.has_rung for name, phone in cluster.phones.items() if name not in but)


def test_an_extension_rings_at_its_own_phone(cluster: Cluster) -> None:
    call = cluster.phones["p2"].dial("001")
    ring = cluster.phones["p1"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("002", "Person 2")
    ring.answer()
    call.wait_up()
    assert nobody_rang(cluster)


@pytest.mark.parametrize(("caller", "number", "callee"), [("p2", "003", "p3"), ("p4", "001", "p1")])
def test_a_phone_on_another_node_rings(cluster: Cluster, caller: str, number: str, callee: str) -> None:
    """The call goes over the trunk, with the caller's number and name, and speech (here: digits) passes."""
    name = 'Jürg "Q" ${EXTEN}, a\\b c'
    cluster.speaks(caller, f"00{caller[1]}", name)
    call = cluster.phones[caller].dial(number)
    ring = cluster.phones[callee].wait_ring()
    assert (ring.caller_number, ring.caller_name) == (f"00{caller[1]}", name)
    ring.answer()
    call.wait_up()
    call.send_dtmf("42")
    assert ring.wait_dtmf(2) == "42"
    call.hang_up()
    ring.wait_over()


def test_a_moved_extension_rings_where_it_sits_and_speaks_there(cluster: Cluster) -> None:
    cluster.place("001", "n2/p3")
    cluster.place("003", "-")
    cluster.speaks("p3", "001", "Person 1")
    cluster.phones["p2"].dial("001")
    cluster.phones["p3"].wait_ring().hang_up()
    cluster.phones["p3"].dial("002")
    ring = cluster.phones["p2"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("001", "Person 1")
    assert nobody_rang(cluster)


def test_a_call_in_progress_is_not_touched_by_a_move(cluster: Cluster) -> None:
    call = cluster.phones["p2"].dial("001")
    ring = cluster.phones["p1"].wait_ring()
    ring.answer()
    call.wait_up()
    cluster.place("001", "n2/p3")
    cluster.phones["p4"].dial("001")
    cluster.phones["p3"].wait_ring()
    call.send_dtmf("7")
    assert ring.wait_dtmf(1) == "7"
    assert call.is_up
    assert ring.is_up


def test_nowhere_to_ring_plays_unavailable_and_ends(cluster: Cluster) -> None:
    cluster.place("002", "-")
    log = cluster.logs("n1")
    call = cluster.phones["p1"].dial("002")
    call.wait_over()
    log.wait("Playing 'vm-nobodyavail")
    assert call.close_reason.startswith("480")
    assert nobody_rang(cluster)


def test_a_busy_phone_is_busy_also_across_the_trunk(cluster: Cluster) -> None:
    call = cluster.phones["p1"].dial("003")
    cluster.phones["p3"].wait_ring().reject()
    call.wait_over()
    assert call.close_reason.startswith("486")


def test_giving_up_stops_the_ringing(cluster: Cluster) -> None:
    call = cluster.phones["p1"].dial("003")
    ring = cluster.phones["p3"].wait_ring()
    call.hang_up()
    ring.wait_over()


@pytest.mark.parametrize(
    ("where", "reason"), [("-", "unavailable"), ("n1/p1", "busy"), ("n2/nobody", "unavailable")]
)
def test_the_voicemail_hook_gets_the_extension_and_the_reason(
    cluster: Cluster, where: str, reason: str
) -> None:
    cluster.place("007", where)
    log = cluster.logs("n1")
    call = cluster.phones["p2"].dial("007")
    if where == "n1/p1":
        cluster.phones["p1"].wait_ring().reject()
    log.wait(f"voicemail of 0001*007: {reason}")
    call.wait_over()


def test_nodes_that_disagree_do_not_send_a_call_round(cluster: Cluster) -> None:
    """n1 believes that 003 is at n2, and n2 that it is at n1: the phone that n1 named rings."""
    cluster.nodes["n2"].database_put("roost/e", "0001*003", "n1/p1")
    cluster.phones["p2"].dial("003")
    cluster.phones["p3"].wait_ring()
    assert nobody_rang(cluster)


@pytest.mark.parametrize("number", ["005", "0002*005", "2*005"])
def test_another_organization_cannot_be_dialled(cluster: Cluster, number: str) -> None:
    for node in cluster.nodes.values():
        node.database_put("roost/e", "0002*005", "n1/p1")
    log = cluster.logs("n1")
    cluster.phones["p2"].dial(number)
    log.wait("Playing 'pbx-invalid")
    assert nobody_rang(cluster)


def test_an_inbound_number_rings_its_extension_where_it_sits(cluster: Cluster) -> None:
    cluster.place("001", "n2/p4")
    cluster.phones["carrier"].dial("+15559001")
    ring = cluster.phones["p4"].wait_ring()
    assert ring.caller_number == "+15550100"


@pytest.mark.parametrize("where", ["n1/p1", "n2/p3"])
def test_a_transferred_call_stays_in_the_organization_it_was_for(cluster: Cluster, where: str) -> None:
    """A call from outside is answered at 001 and sent on to 002; its channel belongs to no phone of ours."""
    cluster.place("001", where)
    phone = where.partition("/")[2]
    desk = cluster.phones[phone]
    outside = cluster.phones["carrier"].dial("+15559001")
    answered = desk.wait_ring()
    answered.answer()
    outside.wait_up()
    cluster.wait_connected("carrier", phone)
    answered.transfer(f"sip:002@{desk.registrar}")
    ring = cluster.phones["p2"].wait_ring()
    ring.answer()
    assert ring.caller_number == "+15550100"
    assert outside.is_up


def test_a_node_that_is_gone_does_not_keep_the_caller_waiting(cluster: Cluster) -> None:
    gone = cluster.nodes["n2"]
    gone.kill()
    try:
        wait_until(
            lambda: "Unavail" in cluster.nodes["n1"].cli("pjsip show contacts"), 10, "n1 saw that n2 is gone"
        )
        log = cluster.logs("n1")
        cluster.phones["p1"].dial("003")
        log.wait("Playing 'vm-nobodyavail", 5)
        cluster.phones["p1"].dial("002")
        cluster.phones["p2"].wait_ring()
    finally:
        gone.start()
        cluster.register("n2")
        cluster.wait_for_trunks()


@pytest.mark.parametrize(
    "number",
    [
        "00%221%22",
        "001%2C1%2C1",
        "%24%7BSHELL%28id%29%7D",
        "5%24%7BEXTEN%7D",
        "5%29%3A0%3A1%7D",
        "1%22%20%7C%20%221%22%20%3D%20%221",
        "0" * 41,
    ],
)
def test_what_is_no_number_is_refused_and_not_evaluated(cluster: Cluster, number: str) -> None:
    log = cluster.logs("n1")
    call = cluster.phones["p2"].dial(number)
    wait_until(lambda: call.is_over or "Playing 'pbx-invalid" in log, 5, "a refusal")
    for application in ("Dial(", "AGI(", "System("):
        assert application not in log


def test_what_the_database_holds_is_not_evaluated(cluster: Cluster) -> None:
    log = cluster.logs("n1")
    for value in ("n1/p1&PJSIP/p3", "n1/p3,1,U(x)", "n1/${EXTEN}", 'n1"="n1/p1"'):
        cluster.nodes["n1"].cli(f"database put roost/e 0001*009 {value}")
        cluster.phones["p2"].dial("009")
        log.wait("Playing 'vm-nobodyavail")
        cluster.phones["p2"].hang_up_all()
        log = cluster.logs("n1")
    assert nobody_rang(cluster)
