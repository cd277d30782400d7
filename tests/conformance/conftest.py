"""Every adapter, over every node it can reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from roost.pbx.node import PbxNode
from tests.conformance.targets import DEADLINE, Target, other_versions, targets


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Versions beside the usual one are looked at when they are asked for: `--every-version`."""
    if not config.getoption("--every-version"):
        others = other_versions()
        items[:] = [item for item in items if _target(item) not in others]


def _target(item: pytest.Item) -> str | None:
    return item.callspec.params.get("target") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session", params=targets())
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Each node, started once."""
    node = targets()[request.param](tmp_path_factory.mktemp(request.param))
    node.start()
    yield node
    node.stop()


@pytest.fixture
def node(target: Target) -> Iterator[PbxNode]:
    """A connection to a node that holds nothing of ours."""
    target.wipe()
    connection = target.kind.open(target.address, DEADLINE)
    yield connection
    connection.close()
