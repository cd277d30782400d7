"""What tests of pushes share: a simulator, and a node that is registered and empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from roost.pbx.node import Cursor, Gone
from tests.conformance.asterisk.target import Simulator
from tests.core.pushed_node import Node
from tests.world import World

# They compare for several tests, and a failure should show what differs.
pytest.register_assert_rewrite("tests.core.compared", "tests.core.desk_import")


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator process; a test that ends it starts it again."""
    target = Simulator(tmp_path_factory.mktemp("simulator"))
    target.start()
    yield target
    target.stop()


@pytest.fixture
def node(world: World, simulator: Simulator) -> Iterator[Node]:
    """Node n1 with three desks; nothing was sent yet."""
    address = simulator.address
    world.organization()
    world.node("n1", host=address.host, port=address.port, secret=address.secret.get_secret_value())
    for number in ("001", "002", "003"):
        world.desk(number)
    ours = Node(world, simulator)
    yield ours
    ours.tamper([Gone(kind, key) for kind, key in ours.holds()], Cursor("nobody", 0))
    ours.connections.close()
