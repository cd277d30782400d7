"""Everything is real here: Kamailio, Asterisk, phones, Roost's processes, RabbitMQ, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcluster.kamailio_install import DEFAULT_SUITE, SUITES, KamailioProgram, kamailio_program
from localcluster.mixed import MixedTelephony
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from tests.cluster import own_product
from tests.kamailio.mixed_office import ASTERISKS, DEFINES, KAMAILIOS, PLAIN, SITE, TCP, WITHHELD, MixedOffice


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Versions beside the usual one take calls when they are asked for: `--every-version`."""
    if not config.getoption("--every-version"):
        items[:] = [item for item in items if _suite(item) in {None, DEFAULT_SUITE}]


def _suite(item: pytest.Item) -> str | None:
    return item.callspec.params.get("program") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session", params=SUITES)
def program(request: pytest.FixtureRequest) -> KamailioProgram:
    """Kamailio as a release of Debian has it."""
    return kamailio_program(request.param)


@pytest.fixture(scope="session")
def mixed_house(
    postgres: Postgres,
    rabbitmq: RabbitCluster,
    program: KamailioProgram,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MixedOffice]:
    """Two centers, two Kamailios and two Asterisks with their phones; shared by all these tests."""
    folder = tmp_path_factory.mktemp
    with own_product(
        postgres, rabbitmq, folder("roost"), counts={"center": 2}, more={"ROOST_NODE_RETRY_MAX": "1"}
    ) as product:
        telephony = MixedTelephony(
            folder("pbx"), KAMAILIOS, ASTERISKS, plain=PLAIN, centers=product.centers, site=SITE, defines=DEFINES,
            tcp=TCP, withheld=WITHHELD, kamailio=program,
        )  # fmt: skip
        with product, telephony, MixedOffice(product, telephony) as office:
            yield office


@pytest.fixture
def office(mixed_house: MixedOffice) -> Iterator[MixedOffice]:
    """Everybody at home, and no call left afterwards."""
    mixed_house.open()
    yield mixed_house
    mixed_house.telephony.quiet()
