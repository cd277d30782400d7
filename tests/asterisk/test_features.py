"""What sites add: voicemail and queues, as in the sample that operators copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until

if TYPE_CHECKING:
    from tests.asterisk.conftest import Cluster


@pytest.mark.parametrize("agent", ["001", "003"], ids=["same node", "other node"])
def test_an_agent_is_rung_where_it_sits(cluster: Cluster, agent: str) -> None:
    cluster.place(agent, "n2/p4")
    call = cluster.phones["p2"].dial(f"*77{agent}")
    ring = cluster.phones["p4"].wait_ring()
    assert ring.caller_number == "002"
    ring.answer()
    call.wait_up()


@pytest.mark.parametrize("caller", ["p2", "p4"], ids=["same node", "other node"])
def test_a_ring_group_rings_its_people_where_they_sit(cluster: Cluster, caller: str) -> None:
    """The line of docs/asterisk.md: 001 and 002."""
    cluster.place("001", "n2/p3")
    cluster.place("002", "n1/p1")
    call = cluster.phones[caller].dial("*76")
    first, second = cluster.phones["p3"].wait_ring(), cluster.phones["p1"].wait_ring()
    assert first.caller_number == second.caller_number == f"00{caller[1]}"
    second.answer()
    call.wait_up()
    first.wait_over()


@pytest.mark.parametrize("where", ["-", "n1/nobody", "n2/nobody", "unknown"])
def test_an_agent_who_rings_nowhere_is_unavailable_at_once(cluster: Cluster, where: str) -> None:
    """Neither the mailbox nor a prompt answers in a queue; whoever dials the extension hears them."""
    if where != "unknown":
        cluster.place("007", where)
    log = cluster.logs("n1")
    call = cluster.phones["p2"].dial("*77007")
    call.wait_over(3)
    assert call.close_reason[:3] in {"404", "480", "503"}
    assert "voicemail of" not in log
    assert "Playing" not in log


def test_a_message_is_left_and_heard_at_any_node_and_by_nobody_else(cluster: Cluster) -> None:
    """n1 keeps the messages. Another organization has an extension of the same number."""
    cluster.place("021", "-")
    log = cluster.logs("n1")
    call = cluster.phones["p3"].dial("021")
    cluster.leave_message(call, log)
    for organization, password, messages in (
        ("0001", "1111", "Playing 'digits/1"),
        ("0002", "2222", "Playing 'vm-no."),
    ):
        cluster.speaks("p4", "021", "Person 21", organization)
        log = cluster.logs("n1")
        call = cluster.phones["p4"].dial("*97")
        log.wait("Playing 'vm-password")
        call.send_dtmf(f"{password}#")
        log.wait(messages)
        call.hang_up()


def test_a_phone_of_an_agent_does_not_forward_calls_of_a_queue(cluster: Cluster) -> None:
    """Its own forward (302) could end at a mailbox; a colleague's call is forwarded."""
    for phone in ("q1", "q2"):
        cluster.place("007", f"n{phone[1]}/{phone}")
        with cluster.plain_phone(phone) as desk:
            desk.forward = f"sip:003@{desk.registrar}"
            call = cluster.phones["p2"].dial("*77007")
            call.wait_over(3)
            assert not cluster.phones["p3"].has_rung


@pytest.mark.parametrize(
    ("code", "caller", "who", "where"),
    [
        ("**001", "p2", "q1", "n1/p1"),
        ("**001", "carrier", "q2", "n1/p1"),
        ("**001", "carrier", "q1", "n2/p3"),
        ("**001", "p2", "q2", "n2/p3"),
        ("**", "p2", "q2", "n1/p1"),
        ("**", "p4", "q1", "n2/p3"),
        ("**", "carrier", "q2", "n2/p3"),
        ("*8", "p2", "q1", "n1/p1"),
    ],
)
def test_a_call_is_picked_up_from_any_phone(
    cluster: Cluster, code: str, caller: str, who: str, where: str
) -> None:
    """001 rings where it sits; a colleague at the same node or another takes the call, by number or by the group."""
    cluster.place("001", where)
    call = cluster.phones[caller].dial("+15559001" if caller == "carrier" else "001")
    ring = cluster.phones[where[3:]].wait_ring()
    with cluster.plain_phone(who) as colleague:
        taken = colleague.dial(code)
        taken.wait_up()
        call.wait_up()
        ring.wait_over()
        assert not taken.is_over


@pytest.mark.parametrize("code", ["*45", "*47"])
def test_nobody_joins_a_queue_or_leaves_it_by_a_transfer(cluster: Cluster, code: str) -> None:
    """They did not dial it."""
    log = cluster.logs("n1")
    call = cluster.phones["p1"].dial("002")
    ring = cluster.phones["p2"].wait_ring()
    ring.answer()
    call.wait_up()
    wait_until(lambda: cluster.nodes["n1"].is_talking("p2"), 10, "the two are connected")
    call.transfer(f"sip:{code}@{cluster.phones['p1'].registrar}")
    ring.wait_over()
    log.wait("Playing 'pbx-invalid")
    assert "0001*002@roost-agent" not in cluster.nodes["n1"].cli("queue show support")


def test_nothing_to_pick_up_is_said(cluster: Cluster) -> None:
    """Nothing rings at any node."""
    log = cluster.logs("n1")
    with cluster.plain_phone("q1") as colleague:
        colleague.dial("**").wait_over()
    log.wait("Playing 'pbx-invalid")


def test_nothing_is_picked_up_in_another_organization(cluster: Cluster) -> None:
    cluster.speaks("q1", "011", "Stranger", "0002")
    call = cluster.phones["p2"].dial("001")
    cluster.phones["p1"].wait_ring()
    with cluster.plain_phone("q1") as stranger:
        stranger.dial("**001").wait_over()
    assert not call.is_up


def test_a_call_is_recorded_under_who_speaks(cluster: Cluster) -> None:
    """The line of docs/asterisk.md, at a phone where somebody else sits."""
    cluster.speaks("p1", "004", "Person 4")
    call = cluster.phones["p1"].dial("+15559700")
    cluster.phones["carrier"].wait_ring().answer()
    call.wait_up()
    call.hang_up()
    recorded = cluster.nodes["n1"].folder / "spool/monitor/0001"
    wait_until(lambda: list(recorded.glob("004-*.wav")) != [], 10, "a recording of 004")
    assert list(recorded.glob("001-*")) == []


@pytest.mark.parametrize("who", ["p1", "p3"], ids=["same node", "other node"])
def test_a_call_is_recorded_under_who_answers(cluster: Cluster, who: str) -> None:
    """The lines of docs/asterisk.md; the file is at the node of the phone."""
    node = cluster.nodes["n1" if who == "p1" else "n2"]
    cluster.place("004", f"{node.name}/{who}")
    cluster.speaks(who, "004", "Person 4")
    node.set_global("ROOST_DIAL_OPTIONS", "U(record-called)")
    recorded = node.folder / "spool/monitor/0001"
    before = set(recorded.glob("004-*.wav"))
    try:
        call = cluster.phones["p2"].dial("004")
        cluster.phones[who].wait_ring().answer()
        call.wait_up()
        wait_until(lambda: set(recorded.glob("004-*.wav")) > before, 10, "a recording of 004")
    finally:
        node.set_global("ROOST_DIAL_OPTIONS", "")


def test_two_who_take_each_others_missed_calls_come_to_an_end(cluster: Cluster) -> None:
    """005 and 006, who both ring nowhere: Asterisk would else go round for as long as the caller stays."""
    cluster.place("005", "-")
    cluster.place("006", "-")
    call = cluster.phones["p2"].dial("005")
    call.wait_over()
    assert call.close_reason.startswith("480")


@pytest.mark.parametrize("where", ["-", "n1/p1", "n2/p3"])
def test_whoever_misses_a_call_is_another(cluster: Cluster, where: str) -> None:
    """The line of docs/asterisk.md: calls that 008 misses ring 002, where that sits."""
    cluster.place("008", where)
    cluster.place("002", "n2/p4")
    call = cluster.phones["p2"].dial("008")
    if where != "-":
        cluster.phones[where[3:]].wait_ring().reject()
    cluster.phones["p4"].wait_ring().answer()
    call.wait_up()
