"""Nodes that keep pace are told together. Whoever does not is left to a push of its own, and keeps no other waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from roost.errors import DatabaseUnavailable, NodeUnavailable
from roost.nodes.converge import Converged
from roost.nodes.converge_together import MOST_BEHIND
from roost.nodes.full_send import Sending
from roost.nodes.holding import PushFailed, hold
from roost.nodes.refused_rows import list_refused_rows
from roost.nodes.routes import read_head
from roost.pbx.node import Cursor
from tests.core.pushed_node import RETRY_MAX, number_all
from tests.core.pushed_together import DEADLINE, NAMES, Cluster


def test_nodes_that_keep_pace_are_told_together(cluster: Cluster) -> None:
    cluster.move()
    found = cluster.push_together()
    assert found.done == dict.fromkeys(NAMES, Converged(9, 3))
    assert not found.late
    assert cluster.news.read == 1
    assert cluster.told == dict.fromkeys(NAMES, 3)
    assert cluster.noted() == dict.fromkeys(NAMES, (9, 0))
    for name in NAMES:
        assert cluster.holds(name) == cluster.truth()
    assert cluster.push_together().done == dict.fromkeys(NAMES, Converged(9, 0))
    assert cluster.told == dict.fromkeys(NAMES, 3)


@pytest.mark.parametrize("where", ["elsewhere", "older", "sending"])
def test_a_node_that_is_not_where_it_was_noted_to_be_is_not_written(cluster: Cluster, where: str) -> None:
    with cluster.world.database.connection() as connection:
        head = read_head(connection)
    cursors = {
        "elsewhere": Cursor("elsewhere", 6),
        "older": Cursor(head.lineage, 5),
        "sending": Sending(head, "e").mark(),
    }
    cluster.tamper("n2", [], cursors[where])
    as_it_was = cluster.holds("n2")
    cluster.move()
    found = cluster.push_together()
    assert set(found.done) == {"n1", "n3"}
    assert not found.late
    assert cluster.holds("n2") == as_it_was
    assert isinstance(cluster.push("n2"), Converged)
    assert cluster.holds("n2") == cluster.truth()


def test_a_node_that_is_to_be_sent_everything_is_left_out(cluster: Cluster) -> None:
    cluster.world.sql("UPDATE pbx_node SET resync = true WHERE name = 'n2'")
    assert set(cluster.push_together().done) == {"n1", "n3"}


@pytest.mark.parametrize("more", [0, 1])
def test_a_node_that_is_far_behind_is_left_out(cluster: Cluster, *, more: int) -> None:
    """It was enabled again after a week: the others' rows would be held while all of that is read and written."""
    cluster.world.sql("UPDATE route SET version = version + %s", MOST_BEHIND - 3 + more)
    for name in ("n1", "n3"):
        assert isinstance(cluster.push(name), Converged)
    cluster.move()
    found = cluster.push_together()
    assert set(found.done) == ({"n1", "n3"} if more else set(NAMES))
    assert not found.late
    assert isinstance(cluster.push("n2"), Converged)
    assert cluster.holds("n2") == cluster.truth()


def test_a_node_that_fails_is_noted_and_left_alone_then(cluster: Cluster) -> None:
    def away() -> None:
        raise NodeUnavailable("away")

    cluster.nodes.before_writing["n2"] = away
    cluster.nodes.close()
    cluster.move()
    found = cluster.push_together()
    failed = found.done.pop("n2")
    assert isinstance(failed, PushFailed)
    assert failed.code == NodeUnavailable.code
    assert failed.begins
    assert found.done == {"n1": Converged(9, 3), "n3": Converged(9, 3)}
    assert cluster.noted() == {"n1": (9, 0), "n2": (6, 1), "n3": (9, 0)}
    cluster.nodes.before_writing.clear()
    cluster.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
    assert set(cluster.push_together().done) == {"n1", "n3"}, "it may be away still"
    assert cluster.push("n2") == Converged(9, 3)
    assert set(cluster.push_together().done) == set(NAMES)


def test_what_nobody_expects_of_a_node_harms_no_other(cluster: Cluster) -> None:
    def break_down() -> None:
        raise RuntimeError("the adapter has a fault")

    cluster.nodes.before_writing["n2"] = break_down
    cluster.nodes.close()
    cluster.move()
    found = cluster.push_together()
    assert found.done == {"n1": Converged(9, 3), "n3": Converged(9, 3)}
    with pytest.raises(RuntimeError, match="the adapter has a fault"):
        cluster.together.note_late(found.late["n2"])
    cluster.nodes.before_writing.clear()
    cluster.nodes.close()
    assert cluster.push("n2") == Converged(9, 3)


def test_a_node_that_is_slow_keeps_no_other_waiting(cluster: Cluster) -> None:
    goes_on = cluster.hold_up("n2")
    cluster.move()
    found = cluster.push_together()
    assert found.done == {"n1": Converged(9, 3), "n3": Converged(9, 3)}
    assert set(found.late) == {"n2"}
    assert cluster.noted() == {"n1": (9, 0), "n2": (6, 0), "n3": (9, 0)}
    assert hold(cluster.world.database, "n1", cluster.nodes, RETRY_MAX, lambda *_: 1), "its row is free"
    goes_on.set()
    cluster.together.note_late(found.late["n2"])
    assert cluster.holds("n2") == cluster.truth()
    assert cluster.told == dict.fromkeys(NAMES, 3)
    assert cluster.push("n2") == Converged(9, 0), "it has everything"
    assert cluster.noted() == dict.fromkeys(NAMES, (9, 0))


@pytest.mark.parametrize("late", [False, True])
def test_what_a_node_refuses_is_written_down(cluster: Cluster, *, late: bool) -> None:
    goes_on = cluster.hold_up("n2") if late else Event()
    cluster.make_a_row_too_long()
    found = cluster.push_together()
    goes_on.set()
    assert set(found.late) == ({"n2"} if late else set())
    for write in found.late.values():
        cluster.together.note_late(write)
    refused = [(row.node, row.key) for row in list_refused_rows(cluster.world.database)]
    assert sorted(refused) == [(name, "p/desk001") for name in NAMES]


def test_what_is_numbered_meanwhile_is_sent_in_another_turn(cluster: Cluster) -> None:
    moved = Event()

    def move_once() -> None:
        if not moved.is_set():
            moved.set()
            cluster.move()
            number_all(cluster.world.database)

    cluster.nodes.before_writing["n2"] = move_once
    cluster.nodes.close()
    cluster.move()
    found = cluster.push_together()
    assert {name: (done.version, done.sent) for name, done in found.done.items() if isinstance(done, Converged)} == (
        dict.fromkeys(NAMES, (14, 8))
    )  # fmt: skip
    for name in NAMES:
        assert cluster.holds(name) == cluster.truth()


def test_a_node_that_another_holds_is_left_out(cluster: Cluster) -> None:
    cluster.move()
    with cluster.world.database.connection() as another, another.transaction():
        another.execute("SELECT FROM pbx_node WHERE name = 'n2' FOR UPDATE")
        assert set(cluster.push_together().done) == {"n1", "n3"}
    assert cluster.push_together().done == dict.fromkeys(NAMES, Converged(9, 0)) | {"n2": Converged(9, 3)}


def test_a_turn_does_not_end_before_each_node_is_written(cluster: Cluster) -> None:
    """PostgreSQL goes away meanwhile: who comes next would use the connection of a node that is still written."""
    goes_on = Event()

    def lose_the_database() -> None:
        cluster.world.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND state = 'idle in transaction'"
        )

    cluster.wait_at_most(0.1)
    cluster.nodes.before_writing = {"n2": lose_the_database, "n3": lambda: goes_on.wait(DEADLINE)}
    cluster.nodes.close()
    cluster.move()
    with ThreadPoolExecutor(1) as another:
        pushing = another.submit(cluster.push_together)
        with pytest.raises(TimeoutError):
            pushing.exception(0.5)
        goes_on.set()
        assert isinstance(pushing.exception(DEADLINE), DatabaseUnavailable)
    cluster.nodes.before_writing = {}
    cluster.nodes.close()
    for name in NAMES:
        assert isinstance(cluster.push(name), Converged)
        assert cluster.holds(name) == cluster.truth()


def test_a_node_that_is_named_twice_is_written_once(cluster: Cluster) -> None:
    cluster.move()
    assert cluster.push_together("n1", "n1").done == {"n1": Converged(9, 3)}
    assert cluster.told == {"n1": 3}
