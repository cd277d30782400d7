"""Three simulated nodes, and the push job to all of them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Event

from roost.nodes.converge import Converged, converge
from roost.nodes.converge_together import PushTogether, Together
from roost.nodes.holding import NodeRow, PushFailed
from roost.nodes.routes import everything
from roost.nodes.shared_news import SharedNews
from roost.nodes.status import cluster_status
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Cursor, Key, PbxNode, RefusedRow, key_of
from tasks.nodes import NodeConnections
from tests.conformance.asterisk.target import Simulator
from tests.core.pushed_node import RETRY_MAX, number_all
from tests.world import World

NAMES = ("n1", "n2", "n3")
#: Seconds until a test gives up waiting.
DEADLINE = 20


class Connections(NodeConnections):
    """What shall happen at a node before it is written, by its name."""

    def __init__(self, world: World) -> None:
        super().__init__(world.settings)
        self.before_writing: dict[str, Callable[[], object]] = {}

    def open(self, row: NodeRow) -> PbxNode:
        node = super().open(row)
        write = node.apply

        def apply(changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
            self.before_writing.get(row.name, lambda: None)()
            return write(changes, cursor)

        if row.name in self.before_writing:
            node.apply = apply  # type: ignore[method-assign]  # as a network, or a frozen PBX, would
        return node

    def kept(self, name: str) -> PbxNode | None:
        """The connection to the node that is kept, if there is one."""
        kept = self._open.get(name)
        return kept[1] if kept else None


class Cluster:
    """Three simulated nodes with three desks, which have everything."""

    def __init__(self, world: World, simulator: Simulator, hands: ThreadPoolExecutor) -> None:
        self.world = world
        self.simulator = simulator
        self.nodes = Connections(world)
        self.news = SharedNews()
        self.told: dict[str, int] = {}
        self.together = PushTogether(
            world.database,
            self.nodes,
            RETRY_MAX,
            1e9,
            self.news,
            self.taken,
            hands,
            fenced_for=60,
            patience=20,
        )
        self._moves = 0

    def push_together(self, *names: str) -> Together:
        number_all(self.world.database)
        return self.together.push(names or NAMES)

    def wait_at_most(self, seconds: float) -> None:
        """How long nodes that were written wait for the slowest: so long that a busy machine makes none late, where a test says nothing."""
        self.together = replace(self.together, patience=seconds)

    def hold_up(self, name: str, error: Exception | None = None) -> Event:
        """The node is late: what it is sent next is written, or fails, once this is set."""
        goes_on = Event()

        def slow() -> None:
            assert goes_on.wait(DEADLINE)
            if error is not None:
                raise error

        self.wait_at_most(1)
        self.nodes.close()
        self.nodes.before_writing[name] = slow
        return goes_on

    def push(self, name: str) -> Converged | PushFailed | None:
        return converge(self.world.database, name, self.nodes, RETRY_MAX)

    def taken(self, name: str, changes: Sequence[Change]) -> None:
        self.told[name] = self.told.get(name, 0) + len(changes)

    def holds(self, name: str) -> dict[Key, Change | None]:
        with closing(connect(self.simulator.address_of(NAMES.index(name)), 5)) as node:
            return node.dump()

    def tamper(self, name: str, changes: Sequence[Change], cursor: Cursor | None = None) -> None:
        with closing(connect(self.simulator.address_of(NAMES.index(name)), 5)) as node:
            node.apply(changes, cursor)

    def truth(self) -> dict[Key, Change | None]:
        with self.world.database.connection() as connection:
            return {key_of(change): change for change in everything(connection)}

    def noted(self) -> dict[str, tuple[int, int]]:
        """The version that each node is known to have, and how many pushes have failed in a row."""
        return {
            node.name: (node.applied_version, node.failures)
            for node in cluster_status(self.world.database).nodes
        }

    def move(self) -> None:
        self._moves += 1
        assert self.world.sit("001", f"desk{2 + self._moves % 2:03}").outcome == "virtualized"

    def make_a_row_too_long(self) -> None:
        """For every node, in a way that Roost itself refuses."""
        for statement in (
            "ALTER TABLE extension DISABLE TRIGGER extension_rows_fit",
            "ALTER TABLE phone DISABLE TRIGGER USER",
            "UPDATE phone SET emergency_location = repeat(',', 256)",
            "ALTER TABLE phone ENABLE TRIGGER USER",
        ):
            self.world.sql(statement)
        self.world.sql("UPDATE extension SET name = %s WHERE number = '001'", "\U0001f99c" * 64)
