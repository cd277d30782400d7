"""A running Roost with web processes, people who sign in, and programs with tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from tests.cluster import Cluster
from tests.web.browsing import launch
from tests.web.office import Office
from tests.world import new_id


@pytest.fixture(scope="module")
def web_settings() -> dict[str, str]:
    """ROOST_ settings of this module's cluster."""
    return {}


@pytest.fixture(scope="module")
def web_cluster(
    postgres: Postgres,
    rabbitmq: RabbitCluster,
    tmp_path_factory: pytest.TempPathFactory,
    web_settings: dict[str, str],
) -> Iterator[Cluster]:
    """All of Roost's processes with a page, and three simulated nodes; shared by the tests of a module."""
    name = f"web_{new_id()}"
    postgres.create_database(name, template="template_roost")
    product = Product(
        tmp_path_factory.mktemp("roost"), database_url=postgres.url(name), broker_url=rabbitmq.add_vhost(),
        counts={"web": 1}, simulated=("n1", "n2", "n3"), more=web_settings,
    )  # fmt: skip
    with product, Cluster(product) as running:
        yield running
    postgres.drop_database(name)


@pytest.fixture
def office(web_cluster: Cluster) -> Iterator[Office]:
    """Two organizations, 0001 and 0002, each with four desks, an administrator, two owners; and an operator."""
    with Office(web_cluster) as office:
        yield office


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser."""
    yield from launch()
