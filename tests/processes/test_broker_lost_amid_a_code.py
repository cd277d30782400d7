"""RabbitMQ that goes while a code is compared: nothing is wrong with the task, and its asker sends the same again."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from chaos.network import Flow, Network
from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from roost.moves.requests import Try
from tasks.client import Client
from tests.celery import messages
from tests.celery.test_lost_workers import phone_held
from tests.cluster import Cluster, wait_until
from tests.world import new_id

#: Whether somebody waits for a row.
_BLOCKED = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())"
#: Seconds, on a busy machine.
DEADLINE = 60.0


def test_a_right_code_that_cannot_be_passed_on_is_no_failed_task(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        network = stack.enter_context(closing(Network()))
        own_url, port = rabbitmq.add_vhost(), rabbitmq.nodes[0].port
        link = network.link("rabbitmq", ports.LOOPBACK, port)
        name = f"lost_{new_id()}"
        product = Product(
            tmp_path, database_url=postgres.create_database(name, template="template_roost"),
            broker_url=own_url.replace(f":{port}/", f":{link.port}/"),
            counts={"bind": 0, "beat": 0, "verify": 1, "push": 0, "center": 0},
        )  # fmt: skip
        stack.callback(postgres.drop_database, name)
        stack.enter_context(product)
        office = stack.enter_context(Cluster(product))
        office.world.organization()
        office.world.node()
        for number in ("001", "002"):
            office.world.desk(number)
        settings = product.settings.model_validate(product.settings.model_dump() | {"broker_url": own_url})
        client = stack.enter_context(Client(settings))
        log = product.processes["verify1"].log

        asked = Try.model_validate(
            messages.attempt(office, "desk002", "001", office.world.codes["0001", "001"])
        )
        with phone_held(office, "desk002"):
            client.submit("roost.verify", asked, deadline=DEADLINE)
            wait_until(lambda: bool(office.world.value(_BLOCKED)), "the code is compared", DEADLINE)
            network.set(Flow.NOTHING, "rabbitmq")
        wait_until(lambda: "answer_lost" in log.read_text(), "it says that it could not pass it on", DEADLINE)
        assert "Traceback" not in log.read_text()
