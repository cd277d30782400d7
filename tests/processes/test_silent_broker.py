"""A RabbitMQ node, or what is on the way to it, that keeps its connections and does nothing with them, while another node answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from chaos.network import Flow, Network
from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from roost.errors import BrokerUnavailable
from tasks.broker import connect
from tasks.client import Client
from tasks.processes import Processes
from tasks.topology import ANNOUNCE
from tests.cluster import wait_until
from tests.world import new_id

#: Until a heartbeat was missed twice, and who missed it is connected to the next node, on a busy machine; seconds.
DEADLINE = 90.0


@pytest.fixture
def network() -> Iterator[Network]:
    with closing(Network()) as network:
        yield network


@pytest.mark.timeout(400)
def test_answers_and_all_that_is_asked_take_the_way_that_is_left(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path, network: Network
) -> None:
    own_url, port = rabbitmq.add_vhost(), rabbitmq.nodes[0].port
    links = [network.link(way, ports.LOOPBACK, port) for way in ("first", "second")]
    by_links = ";".join(own_url.replace(f":{port}/", f":{link.port}/") for link in links)
    name = f"silent_{new_id()}"
    product = Product(
        tmp_path, database_url=postgres.create_database(name, template="template_roost"), broker_url=by_links,
        counts={"bind": 1, "beat": 1, "verify": 0, "push": 0, "center": 0},
    )  # fmt: skip
    settings = product.settings.model_validate(product.settings.model_dump() | {"broker_url": own_url})
    with ExitStack() as stack:
        stack.callback(postgres.drop_database, name)
        stack.enter_context(product)
        client = stack.enter_context(Client(settings))
        channel = stack.enter_context(connect(own_url)).default_channel
        processes = stack.enter_context(closing(Processes(product.settings)))

        def answers() -> bool:
            try:
                return client.ask_time().result().now is not None
            except BrokerUnavailable:
                return False

        def asks_for_a_sweep() -> bool:
            return bool(channel.basic_get(ANNOUNCE, no_ack=True))  # nobody else takes it here

        def runs() -> bool:
            return {process.kind for process in processes.look() or ()} == {"bind", "beat"}

        wait_until(answers, "it answers")
        wait_until(asks_for_a_sweep, "it asks")
        wait_until(runs, "it is known who runs")
        network.set(Flow.HELD, "first")
        asks_for_a_sweep()  # what came before
        wait_until(lambda: not runs(), "what was heard by the first way is old")
        wait_until(asks_for_a_sweep, "it asks by the other way", DEADLINE)
        wait_until(answers, "it answers by the other way", DEADLINE)
        wait_until(runs, "it is known who runs, by the other way", DEADLINE)
