"""The feature code, from the phone to the center, and what happens when the center is not there."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest

from localcluster import ports
from localcluster.process import wait_until
from tests.asterisk.conftest import TestCenter, dies, listens, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.asterisk.conftest import Cluster

SORRY = "Playing 'im-sorry"


@pytest.fixture(autouse=True)
def _no_center_left(cluster: Cluster) -> Iterator[None]:
    yield
    cluster.nodes["n1"].set_centers()


@pytest.mark.parametrize("dialled", ["*30001", "*30"])
def test_the_center_hears_node_phone_and_what_was_dialled(cluster: Cluster, dialled: str) -> None:
    log = cluster.logs("n1")
    with TestCenter(says("virtualized")) as center:
        cluster.nodes["n1"].set_centers(center.address)
        cluster.phones["p2"].dial(dialled).wait_over()
    (call,) = center.calls
    assert call["agi_network_script"] == "center"
    assert (call["agi_arg_1"], call["agi_arg_2"], call["agi_arg_3"]) == ("n1", "p2", dialled)
    assert call["agi_uniqueid"]
    assert SORRY not in log


def test_a_phone_that_the_database_does_not_know_reaches_the_center(cluster: Cluster) -> None:
    cluster.forget()
    with TestCenter(says("unknown_phone")) as center:
        cluster.nodes["n1"].set_centers(center.address)
        cluster.phones["p2"].dial("*30001").wait_over()
    assert center.calls[0]["agi_arg_2"] == "p2"


def test_the_feature_code_can_be_another(cluster: Cluster) -> None:
    with TestCenter(says("returned")) as center:
        cluster.nodes["n1"].set_centers(center.address)
        cluster.nodes["n1"].set_global("ROOST_FEATURE", "*77")
        try:
            cluster.phones["p2"].dial("*77001").wait_over()
        finally:
            cluster.nodes["n1"].set_global("ROOST_FEATURE", "")
    assert center.calls[0]["agi_arg_3"] == "*77001"


def test_with_no_center_there_a_prompt_is_played_and_the_call_ends(cluster: Cluster) -> None:
    log = cluster.logs("n1")
    cluster.nodes["n1"].set_centers(f"127.0.0.1:{ports.free_port()}", f"127.0.0.1:{ports.free_port()}")
    start = time.monotonic()
    cluster.phones["p2"].dial("*30001").wait_over()
    assert time.monotonic() - start < 6
    log.wait(SORRY)


def test_a_center_that_does_not_take_the_connection_costs_two_seconds(cluster: Cluster) -> None:
    """As a machine that is gone does: nothing answers, not even with a refusal."""
    with contextlib.ExitStack() as sockets, TestCenter(says("virtualized")) as center:
        deaf = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # its queue is full now; Linux drops what comes after
            caller = sockets.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(deaf.getsockname())
        cluster.nodes["n1"].set_centers(f"127.0.0.1:{deaf.getsockname()[1]}", center.address)
        start = time.monotonic()
        cluster.phones["p2"].dial("*30001").wait_over()
    assert len(center.calls) == 1
    assert 1.5 < time.monotonic() - start < 4


def test_the_second_center_is_asked_when_the_first_is_not_there(cluster: Cluster) -> None:
    log = cluster.logs("n1")
    with TestCenter(says("virtualized")) as center:
        cluster.nodes["n1"].set_centers(f"127.0.0.1:{ports.free_port()}", center.address)
        cluster.phones["p2"].dial("*30001").wait_over()
    assert len(center.calls) == 1
    assert SORRY not in log


def test_the_second_center_goes_on_when_the_first_dies_in_mid_call(cluster: Cluster) -> None:
    """Both hear the same call id, so that the second knows what the first one did."""
    with TestCenter(dies) as first, TestCenter(says("virtualized")) as second:
        cluster.nodes["n1"].set_centers(first.address, second.address)
        cluster.phones["p2"].dial("*30001").wait_over()
    assert first.calls[0]["agi_uniqueid"] == second.calls[0]["agi_uniqueid"]


def test_a_center_that_dies_in_mid_call_leaves_a_prompt(cluster: Cluster) -> None:
    log = cluster.logs("n1")
    with TestCenter(dies) as center:
        cluster.nodes["n1"].set_centers(center.address)
        cluster.phones["p2"].dial("*30001").wait_over()
    log.wait(SORRY)


def test_a_frozen_center_cannot_hold_a_call_for_ever(cluster: Cluster) -> None:
    log = cluster.logs("n1")
    cluster.nodes["n1"].set_global("ROOST_CENTER_SECONDS", "1")
    center = TestCenter(says("never"))
    center.script = center.hangs
    try:
        with center:
            cluster.nodes["n1"].set_centers(center.address)
            cluster.phones["p2"].dial("*30001").wait_over()
    finally:
        cluster.nodes["n1"].set_global("ROOST_CENTER_SECONDS", "")
    log.wait(SORRY)


def test_the_center_hears_at_once_that_the_caller_hung_up(cluster: Cluster) -> None:
    with TestCenter(listens) as center:
        cluster.nodes["n1"].set_centers(center.address)
        call = cluster.phones["p2"].dial("*30001")
        call.wait_up()
        wait_until(lambda: len(center.calls) == 1, 5, "the center has the call")
        call.hang_up()
        wait_until(lambda: center.ended == 1, 5, "its wait for a key ended")


def test_a_missing_recording_is_told_from_a_hang_up_by_the_state_of_the_channel(cluster: Cluster) -> None:
    """What the center relies on: the call is its to answer; -1 on a channel that lives, and keys that are taken without a prompt."""
    heard: list[str] = []

    def asks(command: Callable[[str], str]) -> None:
        heard.extend(
            map(
                command,
                (
                    "CHANNEL STATUS",
                    "ANSWER",
                    "GET DATA nowhere 2000 4",
                    "CHANNEL STATUS",
                    'GET DATA "" 5000 2',
                ),
            )
        )
        command("SET VARIABLE ROOST_OUTCOME virtualized")

    log = cluster.logs("n1")
    cluster.nodes["n1"].cli("agi set debug on")
    try:
        with TestCenter(asks) as center:
            cluster.nodes["n1"].set_centers(center.address)
            call = cluster.phones["p2"].dial("*30001")
            log.wait('AGI Rx << GET DATA "" 5000 2')  # keys that come before are nobody's
            call.send_dtmf("42")
            call.wait_over()
    finally:
        cluster.nodes["n1"].cli("agi set debug off")
    assert heard == [f"200 result={result}" for result in (4, 0, -1, 6, 42)]
