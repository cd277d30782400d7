"""Everything is real here: Kamailio, Asterisk, phones, Roost's processes, RabbitMQ, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster.mixed import MixedTelephony
from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from tests.kamailio.mixed_office import ASTERISKS, DEFINES, KAMAILIOS, PLAIN, SITE, TCP, MixedOffice
from tests.world import new_id


@pytest.fixture(scope="session")
def mixed_house(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MixedOffice]:
    """Two centers, two Kamailios and two Asterisks with their phones; shared by all these tests."""
    name = f"mixed_{new_id()}"
    postgres.create_database(name, template="template_roost")
    product = Product(
        tmp_path_factory.mktemp("roost"),
        database_url=postgres.url(name),
        broker_url=rabbitmq.add_vhost(),
        counts={"center": 2},
        more={"ROOST_NODE_RETRY_MAX": "1"},
    )
    telephony = MixedTelephony(
        tmp_path_factory.mktemp("pbx"), KAMAILIOS, ASTERISKS, plain=PLAIN, centers=product.centers, site=SITE,
        defines=DEFINES, tcp=TCP,
    )  # fmt: skip
    with product, telephony, MixedOffice(product, telephony) as office:
        yield office
    postgres.drop_database(name)


@pytest.fixture
def office(mixed_house: MixedOffice) -> Iterator[MixedOffice]:
    """Everybody at home, and no call left afterwards."""
    mixed_house.open()
    yield mixed_house
    mixed_house.telephony.quiet()
