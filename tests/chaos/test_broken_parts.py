"""What callers notice when a part fails: nothing, or "unavailable" within five seconds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chaos.load import Load
from chaos.names import PROBE, phone_name
from chaos.observer import change_by_hand, differences, unnumbered, version_now
from chaos.stage import COUNTS, Stage
from localcluster.caller import call
from localcluster.process import SupervisedProcess
from tests.cluster import wait_until

#: The longest a caller may wait for "unavailable".
SOON = 5.0
#: A center sends over one connection and listens on another. So many new ones mean that it gave both up and, with the
#: broker still frozen, failed to make them anew at least once.
NEW_CONNECTIONS = 4


def star_30(stage: Stage, number: str) -> tuple[str, float]:
    """A return from the phone of an extension: what was heard, and after how many seconds."""
    begun = time.monotonic()
    heard = call(stage.product.centers[0], phone_name(PROBE, number), "*30")
    return heard.outcome, time.monotonic() - begun


@pytest.mark.timeout(240)
def test_with_a_frozen_broker_every_caller_hears_unavailable_soon(stage: Stage, load: Load) -> None:
    wait_until(lambda: load.probe(0), "calls work", 30)
    link = stage.network.links["center1-broker1"]
    made_before = link.accepted
    heard: list[tuple[str, float]] = []
    with ThreadPoolExecutor(3) as callers:

        def heard_until_new_connections_were_tried() -> bool:
            heard.extend(callers.map(lambda number: star_30(stage, number), ("1", "2", "3")))
            return link.accepted >= made_before + NEW_CONNECTIONS

        stage.rabbitmq.pause()
        try:
            wait_until(heard_until_new_connections_were_tried, "the center tried new connections", 90)
        finally:
            stage.rabbitmq.resume()
    assert {outcome for outcome, _ in heard} == {"unavailable"}
    assert max(seconds for _, seconds in heard) < SOON
    wait_until(lambda: load.probe(0), "calls work again", 30)


@pytest.mark.timeout(240)
def test_a_wake_up_queue_without_a_leader_holds_up_no_caller_and_is_made_anew(
    stage: Stage, load: Load
) -> None:
    version = version_now(stage)
    wait_until(lambda: not differences(stage, stage.nodes["n1"], version), "n1 has its queue", 30)
    stage.rabbitmq.nodes[0].lose_leader(stage.vhost, "push.n1")
    load.start()
    wait_until(
        lambda: len([asked for asked in load.asked if asked.outcomes]) > 300, "people were answered", 60
    )
    load.pause()
    version = version_now(stage)
    for name in ("n2", "n3"):
        wait_until(lambda: not differences(stage, stage.nodes[name], version), f"{name} knows", 20)  # noqa: B023  # called at once
    stage.rabbitmq.kill()
    stage.rabbitmq.nodes[0].start()
    wait_until(lambda: not differences(stage, stage.nodes["n1"], version), "n1 knows", 60)
    wait_until(lambda: load.probe(0), "calls work", 30)


@pytest.mark.timeout(120)
def test_the_sweep_goes_on_after_the_beats_lost_the_broker(stage: Stage) -> None:
    stage.network.drop(*stage.network.names("beat", "broker"))
    change_by_hand(stage)
    wait_until(lambda: not unnumbered(stage), "the sweep numbers what nobody announced", 20)
    version = version_now(stage)
    for node in stage.nodes.values():
        wait_until(lambda: not differences(stage, node, version), f"{node.name} knows", 20)  # noqa: B023  # called at once


@pytest.mark.timeout(300)
def test_a_rolling_restart_under_load_fails_no_request_that_a_repeat_does_not_settle(
    stage: Stage, load: Load
) -> None:
    """One host after the other: on each is a process of every kind, and all of them are restarted at once."""
    load.start()
    for host in ("1", "2"):
        processes = [process for name, process in stage.product.processes.items() if name.endswith(host)]
        assert len(processes) == len(COUNTS)
        with ThreadPoolExecutor(len(processes)) as hands:
            list(hands.map(SupervisedProcess.restart, processes))
    load.pause()
    assert load.settle() == []
    assert len([asked for asked in load.asked if asked.outcomes]) > 20
