"""Converge: whatever became of a node's memory, it ends with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Literal

import pytest
from psycopg import errors as pg
from structlog.testing import capture_logs

from localcluster.postgres import Postgres
from roost.database import Database
from roost.directory.nodes import NodeDirectory
from roost.errors import DatabaseUnavailable
from roost.nodes import routes
from roost.nodes.audit import Audited
from roost.nodes.converge import Converged, converge
from roost.nodes.full_send import Sending
from roost.nodes.holding import NodeRow, PushFailed
from roost.nodes.routes import announce
from roost.nodes.shared_news import SharedNews
from roost.pbx.node import Change, Cursor, Gone, PbxNode, RefusedRow, Rings
from roost.seal import NODE_SECRET, seal
from tasks.nodes import NodeConnections
from tests.cluster import wait_until
from tests.conformance.asterisk.target import Simulator
from tests.core.pushed_node import RETRY_MAX, Node, number_all
from tests.world import World


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


def test_what_is_numbered_while_a_node_is_told_is_sent_in_another_turn(node: Node) -> None:
    """Whoever is woken for it meanwhile finds the node's row taken, and leaves."""
    node.push()
    node.world.sit("001", "desk002")
    announce(node.world.database)
    slow = Frozen(node.world)
    with ThreadPoolExecutor(1) as another:
        first = another.submit(converge, node.world.database, "n1", slow, RETRY_MAX)
        assert slow.about_to_write.wait(20)
        node.world.sit("003", "desk001")
        assert node.push() is None
        slow.go_on.set()
        assert first.result(20) == Converged(12, 6)
    assert node.holds() == node.truth()
    slow.close()


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
    # Who is killed forgets its last second; no more than that, or the table of the test before would be back, and its cursor.
    node.simulator.stop()
    node.simulator.start()
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


class _Contested(NodeConnections):
    """Whenever this Roost lists the node's keys, another one writes its own cursor there, as long as it has a turn left."""

    def __init__(self, node: Node, turns: int) -> None:
        super().__init__(node.world.settings)
        self._node = node
        self.turns = turns

    def aside(self, row: NodeRow) -> PbxNode:
        if self.turns:
            self.turns -= 1
            self._node.tamper([], Cursor("another", 5))
        return super().aside(row)


def test_two_databases_that_are_pushed_to_one_node_do_not_fill_it_by_turns_without_end(node: Node) -> None:
    connections = _Contested(node, turns=50)
    with capture_logs() as logs:
        failed = converge(node.world.database, "n1", connections, RETRY_MAX)
    assert isinstance(failed, PushFailed)
    assert "does another Roost push to it too" in failed.error
    assert {(log["event"], log["node"]) for log in logs} == {("node_of_another_database", "n1")}
    assert connections.turns > 40
    waits = node.world.value(
        "SELECT extract(epoch FROM next_attempt_at - clock_timestamp())::float8 FROM pbx_node"
    )
    assert isinstance(waits, float)
    assert waits > 20, "somebody must act"
    connections.turns = 0
    node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
    assert isinstance(converge(node.world.database, "n1", connections, RETRY_MAX), Converged)
    assert node.holds() == node.truth()
    connections.close()


class _KeepsMark(NodeConnections):
    """The node acknowledges what it is sent, and has an old mark each time that it is asked, as long as it has a turn left."""

    def __init__(self, node: Node, mark: Cursor, turns: int) -> None:
        super().__init__(node.world.settings)
        self._node = node
        self._mark = mark
        self.turns = turns

    def open(self, row: NodeRow) -> PbxNode:
        if self.turns:
            self.turns -= 1
            self._node.tamper([], self._mark)
        return super().open(row)


@pytest.mark.parametrize("at", ["e", "p"])
def test_a_node_that_keeps_an_old_mark_is_not_sent_the_same_without_end(
    node: Node, at: Literal["e", "p"]
) -> None:
    node.push()
    whole = node.cursor()
    assert whole is not None
    connections = _KeepsMark(node, Sending(whole, at).mark(), turns=50)
    failed = converge(node.world.database, "n1", connections, RETRY_MAX)
    assert isinstance(failed, PushFailed)
    assert "loses its cursor" in failed.error
    assert connections.turns > 40
    connections.turns = 0
    node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
    assert isinstance(converge(node.world.database, "n1", connections, RETRY_MAX), Converged)
    connections.close()


def test_a_node_that_loses_its_cursor_twice_in_a_push_is_filled_all_the_same(node: Node) -> None:
    connections = _Contested(node, turns=3)
    assert isinstance(converge(node.world.database, "n1", connections, RETRY_MAX), Converged)
    assert node.holds() == node.truth()
    connections.close()


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


def test_a_piece_that_cannot_be_read_ahead_is_told_as_what_it_is(node: Node) -> None:
    """Phones cannot be read while the node takes the extensions: what PostgreSQL says comes out, and the send goes on from there."""
    with node.world.database.connection() as connection:
        connection.execute("ALTER VIEW acts_as RENAME TO away")
        with pytest.raises(pg.UndefinedTable):
            node.push()
        assert [kind for kind, _ in node.holds()] == ["e", "e", "e"]
        connection.execute("ALTER VIEW away RENAME TO acts_as")
    assert node.push() == Converged(6, 3), "extensions are not sent again"
    assert node.holds() == node.truth()
