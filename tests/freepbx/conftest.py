"""A plain Asterisk and two FreePBX boxes, started once for all these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from tests.cluster import own_product
from tests.freepbx.mixed_office import FEATURES, LAYOUT, PLAIN_LAYOUT, SITE, WITHHELD, Boxes, Mixed


@pytest.fixture(scope="session")
def house(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mixed]:
    """One process of each kind but two centers, and the three nodes with their phones."""
    folder = tmp_path_factory.mktemp
    with own_product(
        postgres, rabbitmq, folder("roost"), counts={"center": 2}, more={"ROOST_SWEEP_EVERY": "0.25"}
    ) as product:
        telephony = Boxes(
            folder("pbx"),
            LAYOUT,
            plain=PLAIN_LAYOUT,
            withheld=[WITHHELD],
            centers=product.centers,
            site=SITE,
            features=FEATURES,
        )
        with product, telephony, Mixed(product, telephony) as mixed:
            yield mixed


@pytest.fixture
def mixed(house: Mixed) -> Iterator[Mixed]:
    """Everybody at home, and no call left afterwards."""
    house.open()
    yield house
    house.telephony.quiet()
