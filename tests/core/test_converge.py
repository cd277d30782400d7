"""Converge and audit: whatever became of a node's memory, it ends with the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from localcluster.postgres import Postgres
from roost.database import Database
from roost.directory.nodes import NodeDirectory
from roost.errors import DatabaseUnavailable
from roost.nodes import routes
from roost.nodes.audit import Audited, audit
from roost.nodes.converge import Converged, converge
from roost.nodes.full_send import Sending
from roost.nodes.holding import NodeRow, PushFailed
from roost.nodes.refused_rows import list_refused_rows
from roost.nodes.routes import announce, everything
from roost.nodes.shared_news import SharedNews
from roost.nodes.status import await_audits, cluster_status, is_audited, request_audit
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Cursor, Gone, Key, PbxNode, RefusedRow, Rings, key_of
from roost.seal import NODE_SECRET, seal
from tasks.nodes import NodeConnections
from tests.cluster import wait_until
from tests.conformance.asterisk.target import Simulator
from tests.world import World

RETRY_MAX = 3.0


def idle_transactions_ended(postgres: Postgres) -> int:
    """How many transactions PostgreSQL ended because nothing was done in them."""
    return (postgres.folder / "postgres.log").read_text().count("idle-in-transaction timeout")


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


def test_nodes_that_keep_pace_are_told_what_was_read_once(node: Node, tmp_path: Path) -> None:
    news = SharedNews()
    second = Simulator(tmp_path)
    second.start()
    try:
        address = second.address
        node.world.node("n2", host=address.host, port=address.port, secret=address.secret.get_secret_value())
        for sent in (6, 3):
            announce(node.world.database)
            for name in ("n1", "n2"):
                pushed = converge(node.world.database, name, node.connections, RETRY_MAX, news=news)
                assert isinstance(pushed, Converged)
                assert pushed.sent == sent
            node.world.sit("001", "desk002")
    finally:
        second.stop()
    assert news.read == 1


def test_news_come_in_batches_and_the_cursor_follows_each(node: Node) -> None:
    """Three batches: two whole ones and a rest. A row that is held for each alone shows how far they are."""
    node.push()
    node.world.sql(
        "INSERT INTO extension (organization_id, number) SELECT o.id, n::text FROM organization o, generate_series(10000, %s) n",
        10_000 + 2 * routes.BATCH,
    )
    number_all(node.world.database)
    news = SharedNews()
    pushed = converge(node.world.database, "n1", node.connections, RETRY_MAX, news=news)
    assert pushed == Converged(6 + 2 * routes.BATCH + 1, 2 * routes.BATCH + 1)
    assert news.read == 3
    assert node.holds() == node.truth()


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
    for attempt in range(1, 9):
        node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
        before = node.world.now()
        again = node.push()
        assert isinstance(again, PushFailed)
        assert not again.begins, "only the first is news"
        longest = min(RETRY_MAX, 0.2 * 2**attempt)
        within = "SELECT next_attempt_at BETWEEN %s::timestamptz + make_interval(secs => %s) AND now() + make_interval(secs => %s) FROM pbx_node"
        assert node.world.value(within, before, longest / 2, longest) is True
    assert first.begins
    node.simulator.start()
    node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
    back = node.push()
    assert isinstance(back, Converged)
    assert (back.version, node.holds()) == (6, node.truth()), (
        "whatever it had kept of what it was told before"
    )
    assert back.failed_before == 9
    assert node.world.value("SELECT failures FROM pbx_node") == 0


def test_an_audit_mends_what_drifted_and_leaves_what_is_not_yet_told(node: Node) -> None:
    node.push()
    node.tamper([Rings("0001*003", "n9", "elsewhere"), Gone("p", "desk001"), Rings("0009*9", None, None)])
    node.world.sit("001", "desk002")
    assert node.audit() == Audited(3)
    assert node.world.value("SELECT drift FROM pbx_node") == 3
    assert node.holds()["e", "0001*001"] == Rings("0001*001", "n1", "desk001"), "the move is left to the push"
    node.push()
    assert node.holds() == node.truth()
    assert node.audit() == Audited(0)


def test_a_wrong_secret_is_told_and_shows_nothing(node: Node) -> None:
    node.connections.close()
    sealed = seal(node.world.settings.need("seal_public_key"), NODE_SECRET, "not-the-secret")
    node.world.sql("UPDATE pbx_node SET secret = %s", sealed.encode())
    failed = node.push()
    assert isinstance(failed, PushFailed)
    assert "not-the-secret" not in failed.error
    assert (failed.code, failed.begins) == ("node_refused", True)
    waits = "SELECT extract(epoch FROM next_attempt_at - clock_timestamp())::float8 FROM pbx_node"
    first = node.world.value(waits)
    assert isinstance(first, float)
    assert 25 < first < 61
    NodeDirectory(node.world.database).change_node("n1", enabled=True)
    again = node.push()
    assert isinstance(again, PushFailed), "asked again at once"
    assert not again.begins
    second = node.world.value(waits)
    assert isinstance(second, float)
    assert 55 < second < 121


LONG = "\U0001f99c" * 64


def test_a_row_that_no_node_can_hold_holds_up_nothing_else(node: Node) -> None:
    node.push()
    node.world.sql("ALTER TABLE extension DISABLE TRIGGER extension_rows_fit")
    node.world.sql("ALTER TABLE phone DISABLE TRIGGER USER")
    node.world.sql("UPDATE phone SET emergency_location = repeat(',', 256)")
    node.world.sql("ALTER TABLE phone ENABLE TRIGGER USER")
    node.world.sql("UPDATE extension SET name = %s WHERE number = '001'", LONG)
    node.world.sql("UPDATE extension SET number = '009' WHERE number = '003'")
    pushed = node.push()
    assert isinstance(pushed, Converged)
    assert pushed.refused == 1
    (refused,) = list_refused_rows(node.world.database)
    assert (refused.node, refused.key) == ("n1", "p/desk001")
    assert "1024" in refused.reason
    assert node.holds()["e", "0001*009"] == Rings("0001*009", "n1", "desk003")
    assert cluster_status(node.world.database).nodes[0].refused_rows == 1
    assert node.audit() == Audited(1), "the phone that changed unseen; the other is refused again"
    assert len(list_refused_rows(node.world.database)) == 1
    node.world.sql("UPDATE extension SET name = 'Short' WHERE number = '001'")
    node.push()
    assert list_refused_rows(node.world.database) == []
    assert node.holds() == node.truth()


def test_a_refused_row_is_tried_again_when_the_node_is_changed(node: Node) -> None:
    node.push()
    node.world.sql(
        "INSERT INTO node_refused_row (node_id, key, reason) SELECT id, 'e/0001*001', 'It was ill' FROM pbx_node"
    )
    node.tamper([Gone("e", "0001*001")])
    node.push()
    assert len(list_refused_rows(node.world.database)) == 1
    NodeDirectory(node.world.database).change_node("n1", enabled=True)
    assert node.push() == Converged(6, 1)
    assert list_refused_rows(node.world.database) == []
    assert node.holds() == node.truth()


def test_a_full_send_goes_on_where_it_broke_off(node: Node) -> None:
    """The node holds extensions, and its mark says so; phones are lacking."""
    node.push()
    whole = node.cursor()
    assert whole is not None
    node.tamper(
        [Gone("p", "desk001"), Rings("0001*001", "n1", "desk003")], Sending(whole, "p", blank=True).mark()
    )
    assert node.push() == Converged(6, 3), "extensions are not looked at again"
    assert node.holds()["e", "0001*001"] == Rings("0001*001", "n1", "desk003")
    assert node.cursor() == whole
    assert node.audit() == Audited(1)
    assert node.holds() == node.truth()


def test_a_large_table_is_audited_while_moves_go_on_and_the_row_is_held_for_moments(
    node: Node, postgres: Postgres
) -> None:
    ended = idle_transactions_ended(postgres)
    node.world.sql(
        "INSERT INTO extension (organization_id, number) SELECT o.id, n::text FROM organization o, generate_series(10000, 29999) n"
    )
    assert isinstance(node.push(), Converged)
    node.tamper([Gone("e", "0001*12345"), Rings("0001*23456", "n9", "x"), Rings("0009*7", "n1", "x")])
    moved = 0
    with ThreadPoolExecutor(1) as another:
        auditing = another.submit(node.audit)
        while not auditing.done():
            node.world.move("001", "desk002") if moved % 2 == 0 else node.world.bring_home("001")
            moved += 1
            wait_until(lambda: isinstance(node.push(), Converged), "the move is told beside the audit", 2)
        assert auditing.result() == Audited(3)
    assert moved > 1
    assert idle_transactions_ended(postgres) == ended
    node.push()
    assert node.holds() == node.truth()


def test_a_push_that_finds_an_audit_at_the_node_is_made_up_for(node: Node) -> None:
    """Whoever finds the row taken leaves at once; then whoever held it pushes."""

    class Interrupted(NodeConnections):
        """Somebody moves, and is pushed, while the row is held."""

        def open(self, row: NodeRow) -> PbxNode:
            if not pushed:
                node.world.move("001", "desk002")
                pushed.append(node.push())
            return super().open(row)

    pushed: list[object] = []
    node.push()
    node.tamper([Gone("p", "desk001")])
    connections = Interrupted(node.world.settings)
    assert audit(node.world.database, "n1", connections, RETRY_MAX, push=node.push) == Audited(1)
    connections.close()
    assert pushed == [None]
    assert node.holds() == node.truth()


def test_who_waits_for_audits_waits_as_long_as_they_go_on(node: Node) -> None:
    asked = request_audit(node.world.database)
    assert [is_audited(n, asked) for n in await_audits(node.world.database, asked, patience=0.1)] == [False]
    node.push()
    with ThreadPoolExecutor(1) as another:
        waiting = another.submit(await_audits, node.world.database, asked)
        node.audit()
        assert [is_audited(n, asked) for n in waiting.result(20)] == [True]


def test_an_audit_goes_on_where_one_broke_off_and_a_request_begins_anew(node: Node) -> None:
    node.push()
    node.tamper([Rings("0001*001", "n9", "x"), Gone("p", "desk001")])
    node.world.sql(
        "INSERT INTO node_audit (node_id, began_at, seen_at, stage) SELECT id, now(), '-infinity', 'p' FROM pbx_node"
    )
    assert node.audit() == Audited(1), "extensions were done"
    request_audit(node.world.database)
    assert node.audit() == Audited(1)
    assert node.holds() == node.truth()


def test_an_audit_can_be_asked_for_while_a_push_holds_the_node(node: Node) -> None:
    with node.world.database.connection() as other, other.transaction():
        other.execute("SELECT 1 FROM pbx_node WHERE name = 'n1' FOR NO KEY UPDATE")
        assert list(request_audit(node.world.database)) == ["n1"]
