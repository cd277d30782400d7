"""Who called whom, by person, from the call records of either node alone: `accountcode` and `peeraccount`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until
from tests.asterisk.test_transfers import connect

if TYPE_CHECKING:
    from tests.asterisk.conftest import Cluster

#: Account of the caller, and of who was called.
Pair = tuple[str, str]
OUTSIDE = ""


class Records:
    """What each node has recorded since this object was made."""

    def __init__(self, cluster: Cluster) -> None:
        self._nodes = cluster.nodes
        self._before = {name: len(node.peer_records()) for name, node in cluster.nodes.items()}

    def of(self, node: str) -> list[list[str]]:
        """Account, caller, number called, and account called, of each call."""
        return self._nodes[node].peer_records()[self._before[node] :]

    def pairs(self, node: str) -> set[Pair]:
        """Who called whom."""
        return {(record[0], record[3]) for record in self.of(node)}

    def wait(self, node: str, *pairs: Pair) -> None:
        """Wait until the node has recorded that these called each other."""
        wait_until(lambda: self.pairs(node).issuperset(pairs), 5, f"{pairs} in the records of {node}")

    def wait_dialled(self, node: str, caller: str, dialled: str) -> None:
        """Wait until the node has recorded that an extension, `001`, called a number, and on whose account."""
        wanted = [f"acct-{caller}", caller, dialled]
        wait_until(
            lambda: wanted in [record[:3] for record in self.of(node)],
            5,
            f"{wanted} in the records of {node}",
        )


def people(*pairs: str) -> list[Pair]:
    """`004>002`: who called whom, by number."""
    found = [pair.split(">") for pair in pairs]
    return [(account(caller), account(called)) for caller, called in found]


def account(number: str) -> str:
    return f"acct-{number}" if number else OUTSIDE


@pytest.mark.parametrize("caller", ["p2", "carrier"])
@pytest.mark.parametrize("callee", ["p1", "p3"], ids=["same node", "other node"])
def test_the_call_records_of_both_nodes_name_both_people(cluster: Cluster, caller: str, callee: str) -> None:
    """Account, caller, extension called and peer account."""
    node = cluster.nodes["n1" if callee == "p1" else "n2"]
    number = f"00{callee[1]}" if caller == "p2" else "001"
    cluster.place("001", f"{node.name}/{callee}")
    cluster.speaks(callee, number, "Somebody")
    records = Records(cluster)
    call, _ = connect(cluster, caller, number if caller == "p2" else "+15559001", callee)
    call.hang_up()
    who = ["acct-002", "002"] if caller == "p2" else [OUTSIDE, "+15550100"]
    for name in {"n1", node.name}:
        records.wait(name, (who[0], f"acct-{number}"))
        assert [*who, f"0001*{number}", f"acct-{number}"] in records.of(name)


@pytest.mark.parametrize(
    ("caller", "callee", "by", "target", "on_n1", "on_n2"),
    [
        ("p4", "p2", "callee", "p3", ["004>002", "004>003"], ["004>002", "004>003"]),
        ("p1", "p3", "callee", "p2", ["001>003", "001>002"], ["001>003", "001>002"]),
        ("p1", "p3", "caller", "p4", ["001>003", "003>004"], ["001>003", "003>004"]),
        ("p4", "p2", "caller", "p3", ["004>002"], ["004>002", "002>003"]),
        ("carrier", "p1", "callee", "p3", [">001", ">003"], [">003"]),
    ],
)  # fmt: skip
def test_a_transfer_is_recorded_as_two_calls(
    cluster: Cluster, caller: str, callee: str, by: str, target: str, on_n1: list[str], on_n2: list[str]
) -> None:
    """Blind: whoever was sent on calls whom they were sent to."""
    records = Records(cluster)
    dialled = "+15559001" if caller == "carrier" else f"00{callee[1]}"
    call, ring = connect(cluster, caller, dialled, callee)
    sends, phone = (call, caller) if by == "caller" else (ring, callee)
    sends.transfer(f"sip:00{target[1]}@{cluster.phones[phone].registrar}")
    cluster.phones[target].wait_ring().answer()
    there = cluster.nodes["n1" if target in {"p1", "p2"} else "n2"]
    wait_until(lambda: there.is_talking(target), 10, "the transfer is answered")
    cluster.quiet()
    records.wait("n1", *people(*on_n1))
    records.wait("n2", *people(*on_n2))


@pytest.mark.parametrize("is_early", [False, True], ids=["answered", "while it rings"])
def test_a_consultation_and_what_came_of_it_are_recorded(cluster: Cluster, is_early: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """012 asks 001 for 011, who called: at their node all calls that were answered, at the other those with it."""
    records = Records(cluster)
    with ExitStack() as phones:
        caller, clerk = (phones.enter_context(cluster.plain_phone(name)) for name in ("q1", "q2"))
        outer = caller.dial("012")
        call = clerk.wait_ring()
        call.answer()
        outer.wait_up()
        cluster.wait_connected("q1", "q2")
        question = clerk.dial("001")
        ring = cluster.phones["p1"].wait_ring()
        if is_early:
            question.wait_asserted("Person 1", "001")
            call.transfer(call.replacing(question))
            question.wait_over()
            ring.answer()
        else:
            ring.answer()
            question.wait_up()
            cluster.wait_connected("q2", calls=2)
            call.transfer_to(question)
        cluster.wait_connected("p1")
    cluster.quiet()
    records.wait("n1", *people("011>012", "012>001"))
    records.wait("n2", *people("011>012", "011>001", *(() if is_early else ("012>001",))))


@pytest.mark.parametrize(("forwarder", "target"), [("q1", "p3"), ("q2", "p3"), ("q2", "p2")])
def test_a_forward_is_recorded_as_who_was_called_and_who_answered(
    cluster: Cluster, forwarder: str, target: str
) -> None:
    """By the phone itself (302)."""
    cluster.place("001", f"n{forwarder[1]}/{forwarder}")
    cluster.speaks(forwarder, "001", "Person 1")
    records = Records(cluster)
    with cluster.plain_phone(forwarder) as phone:
        phone.forward = f"sip:00{target[1]}@{phone.registrar}"
        connect(cluster, "p4", "001", target)
        cluster.quiet()
    records.wait(f"n{forwarder[1]}", *people("004>001", f"004>00{target[1]}"))
    records.wait("n2", *people("004>001"))
    records.wait("n1" if target == "p2" else "n2", *people(f"004>00{target[1]}"))


@pytest.mark.parametrize("phone", ["p2", "p4"], ids=["same node", "other node"])
def test_what_is_kept_at_one_node_is_recorded_there_by_person(cluster: Cluster, phone: str) -> None:
    """Messages, left and heard, and a queue, with who answered: n1 has them, for callers of both nodes."""
    number = f"00{phone[1]}"
    node = "n1" if phone == "p2" else "n2"
    cluster.place("021", "-")
    cluster.place("003", "n1/p1")
    cluster.speaks("p1", "003", "Person 3")
    records = Records(cluster)
    for dialled, there in (
        ("021", "0001*021" if phone == "p2" else "leave-u-0001*021"),
        ("*97", "*97" if phone == "p2" else f"hear-0001*{number}"),
    ):
        cluster.phones[phone].dial(dialled).wait_up()
        cluster.quiet()
        records.wait_dialled("n1", number, there)
        records.wait_dialled(node, number, "0001*021" if dialled == "021" else dialled)
    connect(cluster, phone, "600", "p1")
    cluster.quiet()
    records.wait_dialled("n1", number, "support")
    records.wait("n1", *people(f"{number}>003"))


def test_a_call_that_leaves_by_another_node_is_recorded_there_by_person(cluster: Cluster) -> None:
    """n1 has the carrier; 003 sits at a phone of n2, and has the call on their account."""
    cluster.speaks("p4", "003", "Person 3")
    records = Records(cluster)
    connect(cluster, "p4", "+15550777", "carrier")
    cluster.quiet()
    records.wait_dialled("n1", "003", "out-+15550777")
    records.wait_dialled("n2", "003", "+15550777")
