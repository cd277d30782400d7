"""Calls that leave the cluster: who they come from, and emergency calls above all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until

if TYPE_CHECKING:
    from tests.asterisk.conftest import Cluster


def test_an_outgoing_call_carries_who_sits_there(cluster: Cluster) -> None:
    """Number and name as caller ID, and the account code in the CDR."""
    cluster.speaks("p2", "001", "Person 1")
    before = len(cluster.nodes["n1"].cdr())
    call = cluster.phones["p2"].dial("+15550777")
    ring = cluster.phones["carrier"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("001", "Person 1")
    ring.answer()
    call.wait_up()
    call.hang_up()

    def accounts() -> list[str]:
        return [record[0] for record in cluster.nodes["n1"].cdr()[before:] if record[2] == "+15550777"]

    wait_until(lambda: accounts() != [], 5, "the call record")
    assert accounts() == ["acct-001"]


def test_an_emergency_call_carries_the_phone_not_the_guest(cluster: Cluster) -> None:
    cluster.speaks("p2", "001", "Person 1")
    cluster.phones["p2"].dial("112")
    ring = cluster.phones["carrier"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("+15550192", "Floor 3: by the p2")


@pytest.mark.parametrize("place", ["日" * 64, "a" + "é" * 63, '"' * 20 + "日" * 44])
def test_a_long_place_is_cut_between_characters(cluster: Cluster, place: str) -> None:
    cluster.speaks("p2", "002", "Person 2", place=place)
    cluster.phones["p2"].dial("112")
    ring = cluster.phones["carrier"].wait_ring()
    assert ring.caller_number == "+15550192"
    assert place.startswith(ring.caller_name)
    assert len(ring.caller_name.encode()) > 40


def test_an_emergency_call_passes_with_an_empty_database(cluster: Cluster) -> None:
    cluster.forget()
    cluster.phones["p2"].dial("112")
    ring = cluster.phones["carrier"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("+15550102", "Desk 2")


def test_an_emergency_call_passes_with_a_damaged_database(cluster: Cluster) -> None:
    cluster.nodes["n1"].database_put("roost/p", "p2", "%%,,,,%")
    cluster.phones["p2"].dial("112")
    ring = cluster.phones["carrier"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("+15550102", "Desk 2")


def test_an_emergency_number_is_never_an_extension(cluster: Cluster) -> None:
    cluster.place("112", "n1/p1")
    cluster.phones["p2"].dial("112")
    cluster.phones["carrier"].wait_ring()
    assert not cluster.phones["p1"].has_rung


def test_an_outgoing_call_passes_with_an_empty_database(cluster: Cluster) -> None:
    cluster.forget()
    cluster.phones["p2"].dial("+15550777")
    ring = cluster.phones["carrier"].wait_ring()
    assert (ring.caller_number, ring.caller_name) == ("+15550102", "Desk 2")
