"""A plain Asterisk and two FreePBX boxes, started once for all these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from tests.freepbx.house import FEATURES, LAYOUT, SITE, Houses, Mixed
from tests.world import new_id


@pytest.fixture(scope="session")
def house(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mixed]:
    """One process of each kind but two centers, and the three nodes with their phones."""
    name = f"mixed_{new_id()}"
    postgres.create_database(name, template="template_roost")
    product = Product(
        tmp_path_factory.mktemp("roost"),
        database_url=postgres.url(name),
        broker_url=rabbitmq.add_vhost(),
        counts={"center": 2},
        more={"ROOST_SWEEP_EVERY": "0.25"},
    )
    telephony = Houses(
        tmp_path_factory.mktemp("pbx"), LAYOUT, centers=product.centers, site=SITE, features=FEATURES
    )
    with product, telephony, Mixed(product, telephony) as mixed:
        yield mixed
    postgres.drop_database(name)


@pytest.fixture
def mixed(house: Mixed) -> Iterator[Mixed]:
    """Everybody at home, and no call left afterwards."""
    house.open()
    yield house
    house.telephony.quiet()
