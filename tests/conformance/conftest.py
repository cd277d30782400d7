"""Every adapter, over every node it can reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from roost.pbx.node import PbxNode
from tests.conformance.targets import DEADLINE, Target, targets


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
