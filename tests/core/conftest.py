"""What tests of pushes share: a simulator, and a node that is registered and empty; and three nodes that have everything."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from roost.nodes.converge import Converged
from roost.pbx.node import Cursor, Gone
from tests.conformance.asterisk.target import Simulator
from tests.core.pushed_node import Node, number_all
from tests.core.pushed_together import NAMES, Cluster
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


@pytest.fixture(scope="session")
def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One process, three nodes."""
    target = Simulator(tmp_path_factory.mktemp("three"), nodes=len(NAMES))
    target.start()
    yield target
    target.stop()


@pytest.fixture
def cluster(world: World, three_nodes: Simulator) -> Iterator[Cluster]:
    """Three nodes with three desks; everything was sent."""
    world.organization()
    for place, name in enumerate(NAMES):
        address = three_nodes.address_of(place)
        secret = address.secret.get_secret_value()
        world.node(name, host=address.host, port=address.port, secret=secret)
    for number in ("001", "002", "003"):
        world.desk(number)
    with ThreadPoolExecutor(len(NAMES)) as hands:
        ours = Cluster(world, three_nodes, hands)
        number_all(world.database)
        for name in NAMES:
            ours.tamper(name, [Gone(*key) for key in ours.holds(name)], Cursor("nobody", 0))
            assert ours.push(name) == Converged(6, 6)
        yield ours
        ours.nodes.close()
