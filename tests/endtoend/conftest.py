"""Everything is real here: Asterisk, phones, Roost's processes, RabbitMQ, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from localcluster.telephony import Telephony
from tests.cluster import own_product
from tests.endtoend.office import LAYOUT, PLAIN, SITE, Office


@pytest.fixture(scope="session")
def house(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """Two centers, two bind workers, and two Asterisk nodes with their phones; shared by all these tests."""
    folder = tmp_path_factory.mktemp
    with own_product(postgres, rabbitmq, folder("roost"), counts={"center": 2, "bind": 2}) as product:
        telephony = Telephony(
            folder("pbx"), LAYOUT, plain=PLAIN, centers=product.centers, site=SITE,
            features={"voicemail.conf": "[general]\nformat=wav\n[0001]\n001 => 1111\n"},
            dialplan_globals={"ROOST_VOICEMAIL_NODE": "n1"},
        )  # fmt: skip
        with product, telephony, Office(product, telephony) as office:
            yield office


@pytest.fixture
def office(house: Office) -> Iterator[Office]:
    """Everybody at home, and no call left afterwards."""
    house.open()
    yield house
    house.telephony.quiet()
