"""Wake-ups when a queue has no leader, as RabbitMQ may leave one behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from localcluster.rabbitmq import RabbitCluster
from roost.settings import Settings
from tasks.broker import connect
from tasks.push_queues import make_push_queue_anew
from tasks.topology import PUSH, fixed_queues, push_queue, push_queue_name
from tasks.wake import MOST_OWED, Wakes
from tests.cluster import wait_until


@pytest.fixture
def broker_url(rabbitmq: RabbitCluster) -> str:
    """A virtual host of this test's own."""
    return rabbitmq.add_vhost()


@pytest.fixture
def wakes(broker_url: str) -> Iterator[Wakes]:
    """One that has woken two nodes before."""
    with connect(broker_url) as connection:
        for queue in (*fixed_queues(), push_queue("n1"), push_queue("n2")):
            queue(connection.default_channel).declare()
    wakes = Wakes(broker_url)
    assert wakes.unconfirmed(["n1", "n2"]) == []
    yield wakes
    wakes.close()


def waiting(broker_url: str, queue: str) -> int:
    """How many wake-ups wait in a queue."""
    with connect(broker_url) as connection:
        return int(connection.default_channel.queue_declare(queue, passive=True).message_count)


def empty(broker_url: str) -> None:
    """Take away what waits for the two nodes."""
    with connect(broker_url) as connection:
        for node in ("n1", "n2"):
            connection.default_channel.queue_purge(push_queue_name(node))


def test_several_nodes_are_woken_by_one_message_and_one_alone_by_its_own(
    broker_url: str, wakes: Wakes
) -> None:
    empty(broker_url)
    wakes.wake_together(["n1", "n2"])
    wait_until(lambda: waiting(broker_url, PUSH) == 1, "the one for both is there")
    wakes.wake_together(["n2"])
    wait_until(lambda: waiting(broker_url, push_queue_name("n2")) == 1, "that for n2 is there")
    assert (waiting(broker_url, PUSH), waiting(broker_url, push_queue_name("n1"))) == (1, 0)


def test_each_is_woken_by_its_own_while_the_queue_for_several_has_no_leader(
    rabbitmq: RabbitCluster, broker_url: str, wakes: Wakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.wake.OWN_QUEUES_AFTER", 0.0)
    empty(broker_url)
    rabbitmq.nodes[0].lose_leader(urlsplit(broker_url).path[1:], PUSH)
    wakes.wake_together(["n1", "n2"])  # nobody knows yet
    wakes.wake_together(["n1", "n2"])
    for node in ("n1", "n2"):
        wait_until(lambda: waiting(broker_url, push_queue_name(node)) == 1, f"that for {node} is there")  # noqa: B023  # called at once


def test_one_without_a_leader_keeps_no_other_from_being_woken(
    rabbitmq: RabbitCluster, broker_url: str, wakes: Wakes
) -> None:
    rabbitmq.nodes[0].lose_leader(urlsplit(broker_url).path[1:], push_queue_name("n1"))
    for _ in range(1_000):  # RabbitMQ stops reading the connection once 400 wait in a channel
        wakes.wake(["n1"])
    assert wakes.unconfirmed(["n1", "n2"], patience=2) == ["n1"]


def test_two_workers_make_one_anew_once(
    rabbitmq: RabbitCluster, broker_url: str, wakes: Wakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RabbitMQ cannot start a queue of that name any more if one deletes it while the other declares it."""
    rabbitmq.nodes[0].lose_leader(urlsplit(broker_url).path[1:], push_queue_name("n1"))
    monkeypatch.setattr("tasks.push_queues.settings", lambda: Settings(broker_url=SecretStr(broker_url)))
    with ThreadPoolExecutor(2) as workers:
        made = list(workers.map(make_push_queue_anew, ["n1", "n1"]))
    assert sorted(made) == [False, True]
    assert make_push_queue_anew("n1")
    wakes.close()
    assert wakes.unconfirmed(["n1", "n2"]) == []


def test_a_connection_that_the_broker_closed_costs_no_wake_up(
    rabbitmq: RabbitCluster, broker_url: str, wakes: Wakes
) -> None:
    empty(broker_url)
    vhost = urlsplit(broker_url).path[1:]
    rabbitmq.nodes[0].ctl("close_all_connections", "--vhost", vhost, "test")
    wakes.wake(["n1"])
    wait_until(lambda: waiting(broker_url, push_queue_name("n1")) == 1, "the wake-up is there")


def test_what_waits_for_a_confirmation_is_forgotten_once_it_came(wakes: Wakes) -> None:
    for _ in range(10 * MOST_OWED):
        wakes.wake(["n1", "n2"])
        assert wakes.unconfirmed(["n1"]) == []
