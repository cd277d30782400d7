"""Converge and audit: whatever became of a node's memory, it ends with the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from localcluster.postgres import Postgres
from roost.database import Connection, Database
from roost.errors import DatabaseUnavailable
from roost.nodes.converge import Converged, NodeRow, PushFailed, audit, converge
from roost.nodes.routes import News, Scope, announce, everything, news_since
from roost.pbx import connect
from roost.pbx.node import Change, Cursor, Gone, Key, PbxNode, RefusedRow, Rings, key_of
from roost.seal import NODE_SECRET, seal
from tasks.nodes import NodeConnections
from tests.cluster import wait_until
from tests.conformance.targets import Simulator
from tests.world import World

RETRY_MAX = 3.0


class Node:
    """A simulated node n1 and the push job to it."""

    def __init__(self, world: World, simulator: Simulator) -> None:
        self.world = world
        self.simulator = simulator
        self.connections = NodeConnections(world.settings)

    def push(self) -> Converged | PushFailed | None:
        announce(self.world.database)
        return converge(self.world.database, "n1", self.connections, RETRY_MAX)

    def audit(self) -> Converged | PushFailed | None:
        return audit(self.world.database, "n1", self.connections, RETRY_MAX)

    def holds(self) -> dict[Key, Change | None]:
        connection = connect("asterisk", self.simulator.address, 5)
        held = connection.dump()
        connection.close()
        return held

    def truth(self) -> dict[Key, Change | None]:
        with self.world.database.connection() as connection:
            return {key_of(change): change for change in everything(connection)}

    def tamper(self, changes: list[Change], cursor: Cursor | None = None) -> None:
        """Somebody else writes into the node."""
        connection = connect("asterisk", self.simulator.address, 5)
        connection.apply(changes, cursor)
        connection.close()

    def cursor(self) -> Cursor | None:
        connection = connect("asterisk", self.simulator.address, 5)
        found = connection.cursor()
        connection.close()
        return found


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    target = Simulator(tmp_path_factory.mktemp("simulator"))
    target.start()
    yield target
    target.stop()


@pytest.fixture
def node(world: World, simulator: Simulator) -> Iterator[Node]:
    address = simulator.address
    world.organization()
    world.node("n1", host=address.host, port=address.port, secret=address.secret.get_secret_value())
    for number in ("001", "002", "003"):
        world.desk(number)
    ours = Node(world, simulator)
    yield ours
    ours.tamper([Gone(kind, key) for kind, key in ours.holds()], Cursor("nobody", 0))
    ours.connections.close()


def test_an_empty_node_gets_everything_then_only_news(node: Node) -> None:
    assert node.push() == Converged(6, 6)
    assert node.holds() == node.truth()
    assert node.push() == Converged(6, 0)
    node.world.sit("001", "desk002")
    assert node.push() == Converged(9, 3)
    assert node.holds() == node.truth()


def test_a_node_that_missed_many_moves_is_told_each_key_once(node: Node) -> None:
    node.push()
    for _ in range(50):
        node.world.sit("001", "desk002")
        announce(node.world.database)
        node.world.dial("desk002")
        announce(node.world.database)
    result = node.push()
    assert isinstance(result, Converged)
    assert result.sent == 3
    assert node.holds() == node.truth()


def test_nodes_that_keep_pace_are_told_what_was_read_once(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def count(connection: Connection, version: int, top: int, scope: Scope) -> News:
        read.append(version)
        return news_since(connection, version, top, scope)

    monkeypatch.setattr("roost.nodes.converge.news_since", count)
    second = Simulator(tmp_path)
    second.start()
    try:
        address = second.address
        node.world.node("n2", host=address.host, port=address.port, secret=address.secret.get_secret_value())
        for sent in (6, 3):
            announce(node.world.database)
            for name in ("n1", "n2"):
                pushed = converge(node.world.database, name, node.connections, RETRY_MAX)
                assert isinstance(pushed, Converged)
                assert pushed.sent == sent
            node.world.sit("001", "desk002")
    finally:
        second.stop()
    assert read == [6]


def test_a_lost_cursor_means_everything_is_compared_and_the_stranger_removed(node: Node) -> None:
    node.push()
    stranger = Rings("0001*777", "n1", "ghost")
    node.tamper([stranger, Rings("0001*001", "n1", "desk003")], Cursor("elsewhere", 999))
    assert node.push() == Converged(6, 2)
    assert node.holds() == node.truth()


class Frozen(NodeConnections):
    """A push worker that is frozen just before it writes, and goes on when it is told."""

    def __init__(self, world: World) -> None:
        super().__init__(world.settings)
        self.about_to_write = Event()
        self.go_on = Event()

    def open(self, row: NodeRow) -> PbxNode:
        node = super().open(row)
        write = node.apply

        def apply(changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
            self.about_to_write.set()
            assert self.go_on.wait(20)
            return write(changes, cursor)

        node.apply = apply  # type: ignore[method-assign]  # what SIGSTOP does at the worst moment
        return node


def test_a_worker_that_was_frozen_does_not_leave_its_old_values_behind(node: Node) -> None:
    node.push()
    node.tamper([Gone("e", "0001*001")], Cursor("elsewhere", 1))
    frozen = Frozen(node.world)
    with ThreadPoolExecutor(1) as another:
        late = another.submit(converge, node.world.database, "n1", frozen, RETRY_MAX)
        assert frozen.about_to_write.wait(20)
        # PostgreSQL ends a transaction that idles; others take over.
        node.world.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND state = 'idle in transaction'"
        )
        node.world.sit("001", "desk002")
        wait_until(lambda: isinstance(node.push(), Converged), "another holds the node")
        assert node.holds() == node.truth()
        frozen.go_on.set()
        assert isinstance(late.exception(20), DatabaseUnavailable)
    node.push()
    assert node.holds() == node.truth()
    frozen.close()


def test_a_node_restored_from_an_older_copy_is_brought_forward(node: Node) -> None:
    node.push()
    before, old = node.holds(), node.cursor()
    node.world.sit("001", "desk002")
    node.push()
    node.tamper([change for change in before.values() if change], old)
    assert node.push() == Converged(9, 3)
    assert node.holds() == node.truth()


def test_a_node_ahead_of_a_restored_database_is_corrected(
    node: Node, postgres: Postgres, database_url: str
) -> None:
    node.push()
    name = database_url.rsplit("/", 1)[1]
    node.world.database.close()
    postgres.create_database(f"{name}_copy", template=name)
    restored = Database(postgres.url(f"{name}_copy"))
    went_on = World(Database(database_url), node.world.settings)
    went_on.move("001", "desk002")
    announce(went_on.database)
    assert isinstance(converge(went_on.database, "n1", node.connections, RETRY_MAX), Converged)
    assert node.holds()["e", "0001*001"] == Rings("0001*001", "n1", "desk002")
    announce(restored)
    result = converge(restored, "n1", node.connections, RETRY_MAX)
    assert isinstance(result, Converged)
    assert node.holds()["e", "0001*001"] == Rings("0001*001", "n1", "desk001")
    restored.close()
    went_on.database.close()
    postgres.drop_database(f"{name}_copy")


def test_two_pushers_do_not_write_one_node_at_once(node: Node) -> None:
    announce(node.world.database)
    with node.world.database.connection() as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM pbx_node WHERE name = 'n1' FOR NO KEY UPDATE")
        assert converge(node.world.database, "n1", node.connections, RETRY_MAX) is None
        other.execute("ROLLBACK")
    with ThreadPoolExecutor(4) as pushers:
        results = list(pushers.map(lambda _: node.push(), range(12)))
    assert sum(r.sent for r in results if isinstance(r, Converged)) == 6
    assert node.holds() == node.truth()


def test_a_node_that_is_away_is_left_alone_for_a_growing_while(node: Node) -> None:
    node.simulator.kill()
    first = node.push()
    assert isinstance(first, PushFailed)
    assert node.push() is None
    for _ in range(8):
        node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
        before = node.world.now()
        node.push()
    at_least = "SELECT next_attempt_at >= %s::timestamptz + make_interval(secs => %s) FROM pbx_node"
    assert node.world.value(at_least, before, RETRY_MAX / 2) is True
    assert node.world.value(at_least, node.world.now(), RETRY_MAX) is False
    node.simulator.start()
    node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
    back = node.push()
    assert isinstance(back, Converged)
    assert (back.version, node.holds()) == (6, node.truth()), (
        "whatever it had kept of what it was told before"
    )
    assert node.world.value("SELECT failures FROM pbx_node") == 0


def test_an_audit_mends_what_drifted_and_leaves_what_is_not_yet_told(node: Node) -> None:
    node.push()
    node.tamper([Rings("0001*003", "n9", "elsewhere"), Gone("p", "desk001"), Rings("0009*9", None, None)])
    node.world.sit("001", "desk002")
    assert node.audit() == Converged(6, 3)
    assert node.world.value("SELECT drift FROM pbx_node") == 3
    assert node.holds()["e", "0001*001"] == Rings("0001*001", "n1", "desk001"), "the move is left to the push"
    node.push()
    assert node.holds() == node.truth()
    assert node.audit() == Converged(9, 0)


def test_a_wrong_secret_is_told_and_shows_nothing(node: Node) -> None:
    node.connections.close()
    sealed = seal(node.world.settings.need("seal_public_key"), NODE_SECRET, "not-the-secret")
    node.world.sql("UPDATE pbx_node SET secret = %s", sealed.encode())
    failed = node.push()
    assert isinstance(failed, PushFailed)
    assert "not-the-secret" not in failed.error
