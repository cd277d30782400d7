"""A simulated node and the push job to it."""

from __future__ import annotations

from roost.database import Database
from roost.nodes.audit import Audited, audit
from roost.nodes.converge import Converged, converge
from roost.nodes.holding import PushFailed
from roost.nodes.routes import announce, everything
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Cursor, Key, key_of
from tasks.nodes import NodeConnections
from tests.conformance.asterisk.target import Simulator
from tests.world import World

RETRY_MAX = 3.0


def number_all(database: Database) -> None:
    """Announce until no change is left without a number."""
    while announce(database).more:
        pass


class Node:
    """A simulated node n1 and the push job to it."""

    def __init__(self, world: World, simulator: Simulator) -> None:
        self.world = world
        self.simulator = simulator
        self.connections = NodeConnections(world.settings)

    def push(self) -> Converged | PushFailed | None:
        number_all(self.world.database)
        return converge(self.world.database, "n1", self.connections, RETRY_MAX)

    def audit(self) -> Audited | PushFailed | None:
        return audit(self.world.database, "n1", self.connections, RETRY_MAX)

    def holds(self) -> dict[Key, Change | None]:
        connection = connect(self.simulator.address, 5)
        held = connection.dump()
        connection.close()
        return held

    def truth(self) -> dict[Key, Change | None]:
        with self.world.database.connection() as connection:
            return {key_of(change): change for change in everything(connection)}

    def tamper(self, changes: list[Change], cursor: Cursor | None = None) -> None:
        """Somebody else writes into the node."""
        connection = connect(self.simulator.address, 5)
        connection.apply(changes, cursor)
        connection.close()

    def cursor(self) -> Cursor | None:
        connection = connect(self.simulator.address, 5)
        found = connection.cursor()
        connection.close()
        return found
