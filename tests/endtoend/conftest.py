"""Everything is real here: Asterisk, phones, Roost's processes, RabbitMQ, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from localcluster.telephony import Telephony
from tests.endtoend.office import LAYOUT, SITE, Office
from tests.world import new_id


@pytest.fixture(scope="session")
def house(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """Two centers, two bind workers, and two Asterisk nodes with their phones; shared by all these tests."""
    name = f"office_{new_id()}"
    postgres.create_database(name, template="template_roost")
    product = Product(
        tmp_path_factory.mktemp("roost"),
        database_url=postgres.url(name),
        broker_url=rabbitmq.add_vhost(),
        counts={"center": 2, "bind": 2},
    )
    telephony = Telephony(tmp_path_factory.mktemp("pbx"), LAYOUT, centers=product.centers, site=SITE)
    with product, telephony, Office(product, telephony) as office:
        yield office
    postgres.drop_database(name)


@pytest.fixture
def office(house: Office) -> Iterator[Office]:
    """Everybody at home, and no call left afterwards."""
    house.open()
    yield house
    house.telephony.quiet()
