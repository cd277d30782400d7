"""The asking side: nothing hangs, whatever the broker and the workers do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kombu import Connection

from localcluster.rabbitmq import RabbitCluster
from roost.errors import BrokerUnavailable
from roost.moves.doors import Door
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Return
from tasks.broker import connect
from tasks.client import Client
from tasks.topology import BIND, prepare
from tests.cluster import Cluster, wait_until
from tests.world import new_id


def test_a_frozen_broker_is_told_before_five_seconds(cluster: Cluster, rabbitmq: RabbitCluster) -> None:
    assert cluster.client.ask_time().result().now is not None
    rabbitmq.pause()
    try:
        started = time.monotonic()
        with ThreadPoolExecutor(3) as people:
            heard = list(people.map(lambda _: cluster.call("desk001", "*30").outcome, range(3)))
        assert heard == ["unavailable"] * 3
        assert time.monotonic() - started < 5
    finally:
        rabbitmq.resume()
    wait_until(lambda: _answers(cluster.client), "the client asks again", 30)


def test_a_client_without_a_broker_says_so_in_time(cluster: Cluster) -> None:
    nowhere = cluster.product.settings.model_copy(update={"answer_deadline": 1.0})
    nowhere = nowhere.model_validate(nowhere.model_dump() | {"broker_url": "amqp://nobody:x@127.0.0.1:1//"})
    started = time.monotonic()
    with Client(nowhere) as client, pytest.raises(BrokerUnavailable):
        client.ask_time().result()
    assert time.monotonic() - started < 5


def test_who_stops_waiting_does_not_stop_the_others(cluster: Cluster) -> None:
    for _ in range(20):
        cluster.client.ask_time().cancel()
    assert cluster.client.ask_time().result().now is not None


def test_a_lost_request_is_sent_again(cluster: Cluster) -> None:
    workers = list(cluster.product.of_kind("bind"))
    for worker in workers:
        worker.kill()
    future = cluster.client.ask_time(deadline=30)
    for worker in workers:
        worker.start()
    assert future.result().now is not None


def test_who_asks_the_same_meanwhile_sends_nothing_more(cluster: Cluster, rabbitmq: RabbitCluster) -> None:
    """Nobody works here, so what was sent stays in its queue."""
    url = rabbitmq.add_vhost()
    new = {"broker_url": url, "answer_resend_after": 60, "answer_deadline": 60}
    settings = cluster.product.settings.model_validate(cluster.product.settings.model_dump() | new)
    made = {"origin": "api", "made_at": cluster.world.now(), "organization": "0001", "number": "001"}
    once, last = (Return.model_validate(made | {"request_id": new_id()}) for _ in range(2))
    with connect(url) as connection:
        prepare(connection, Door.DESK)
        with Client(settings) as client:
            heard = [client.submit("roost.return", once) for _ in range(5)]
            client.submit("roost.return", last)
            assert list(_sent(connection.default_channel, last.request_id)) == [
                once.request_id,
                last.request_id,
            ]
    for future in heard:
        with pytest.raises(BrokerUnavailable):
            future.result()


class _Deaf(Client):
    """RabbitMQ gives it no queue for answers."""

    def _listen(self) -> None:
        self._closing.wait()


def test_who_gets_no_queue_for_answers_does_not_burn_the_processor(cluster: Cluster) -> None:
    with _Deaf(cluster.product.settings) as client:
        begun = time.process_time()
        with pytest.raises(BrokerUnavailable):
            client.ask_time(deadline=2).result()
        assert time.process_time() - begun < 1


def _sent(channel: Any, last: str) -> Iterator[str]:
    """The ids of the requests that were sent, in order, until this one."""
    found = ""
    while found != last:
        wait_until(lambda: channel.queue_declare(BIND, passive=True).message_count > 0, "the next was sent")
        found = channel.basic_get(BIND, no_ack=True).properties["correlation_id"]
        yield found


def _answers(client: Client) -> bool:
    try:
        return client.ask_time().result().now is not None
    except BrokerUnavailable:
        return False


def test_an_answer_that_nobody_can_read_costs_its_asker_alone(
    cluster: Cluster, rabbitmq: RabbitCluster
) -> None:
    """Nobody works here but this test, so it knows the queue for answers from what was asked."""
    url = rabbitmq.add_vhost()
    new = {"broker_url": url, "answer_deadline": 30}
    settings = cluster.product.settings.model_validate(cluster.product.settings.model_dump() | new)
    with connect(url) as connection:
        prepare(connection, Door.DESK)
        channel = connection.default_channel
        with Client(settings) as client:
            client.ask_time()
            queue = _asked(channel)["reply_to"]
            for content_type in ("application/json", "application/x-python-serialize"):
                connection.Producer(auto_declare=False).publish(
                    b"[", exchange="", routing_key=queue, content_type=content_type, content_encoding="utf-8"
                )
            again = client.ask_time()
            wait_until(
                lambda: _answer_all(connection) and again.done(), "who asks afterwards is answered", 20
            )
            assert again.result().outcome is Outcome.NOTED


def _asked(channel: Any) -> dict[str, Any]:
    """The properties of the next request that was sent."""
    wait_until(lambda: channel.queue_declare(BIND, passive=True).message_count > 0, "it was sent")
    properties: dict[str, Any] = channel.basic_get(BIND, no_ack=True).properties
    return properties


def _answer_all(connection: Connection) -> bool:
    """Answer whatever is asked, as a worker does."""
    while message := connection.default_channel.basic_get(BIND, no_ack=True):
        properties = message.properties
        answer = Answer(request_id=properties["correlation_id"], outcome=Outcome.NOTED)
        connection.Producer(auto_declare=False).publish(
            answer.model_dump_json(), exchange="", routing_key=properties["reply_to"], content_type="application/json",
            content_encoding="utf-8",
        )  # fmt: skip
    return True
