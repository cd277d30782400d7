"""Every adapter, over every node it can reach."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from roost.pbx.ami.options import AmiOptions
from roost.pbx.ami.session import AmiSession, Failed
from roost.pbx.kinds import connect
from roost.pbx.node import PbxNode
from tests.conformance.targets import DEADLINE, Asterisk, Simulator, Target

KINDS: dict[str, Callable[[Path], Target]] = {"simulator": Simulator, "asterisk": Asterisk}


@pytest.fixture(scope="session", params=["simulator", "asterisk"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A node of each kind, started once."""
    node: Target = KINDS[request.param](tmp_path_factory.mktemp(request.param))
    node.start()
    yield node
    node.stop()


@pytest.fixture
def node(target: Target) -> Iterator[PbxNode]:
    """A connection to a node that holds nothing of ours."""
    wipe(target)
    connection = connect(target.address, DEADLINE)
    yield connection
    connection.close()


def wipe(target: Target) -> None:
    session = AmiSession(target.address, AmiOptions(), DEADLINE)
    with session.deadline():
        for family in ("roost", "roosted"):
            with contextlib.suppress(Failed):  # it says so when there is nothing to delete
                session.ask("DBDelTree", {"Family": family})
    session.close()
