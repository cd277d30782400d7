"""A stage for the tests of what happens when parts fail: every process, every link cuttable; one a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos.load import Load
from chaos.people import settle_in
from chaos.stage import Stage
from localcluster.rabbitmq import own_user
from roost.settings import Settings
from tasks.client import Client


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """All services, and the people of the harness."""
    with Stage(tmp_path_factory.mktemp("stage")) as running:
        settle_in(running)
        yield running


@pytest.fixture(scope="module")
def client(stage: Stage) -> Iterator[Client]:
    """The task door."""
    settings = stage.product.settings.model_dump() | {"broker_url": own_user(stage.door_url, "cli")}
    with Client(Settings.model_validate(settings)) as door:
        yield door


@pytest.fixture
def load(stage: Stage, client: Client) -> Iterator[Load]:
    """People who do not ask until `start`."""
    people = Load(client, stage.product.centers, people=4, seed=1)
    yield people
    people.stop()
