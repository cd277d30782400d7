"""A node that is late is written while nobody holds its row: a fence keeps everybody else out, until it is written or the fence ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from roost.errors import NodeRefused, NodeUnavailable
from roost.nodes import full_send
from roost.nodes.audit import Audited, audit
from roost.nodes.converge import Converged, converge
from roost.nodes.converge_together import Together
from roost.nodes.holding import PushFailed, hold
from roost.nodes.refused_rows import list_refused_rows
from roost.pbx.node import Gone
from tasks.nodes import NodeConnections
from tests.cluster import wait_until
from tests.core.pushed_node import RETRY_MAX, number_all
from tests.core.pushed_together import DEADLINE, NAMES, Cluster


def is_held(cluster: Cluster, name: str) -> bool:
    """Whether a send or an audit, once begun, finds the row held by another."""
    return hold(cluster.world.database, name, cluster.nodes, RETRY_MAX, lambda *_: 1, now_please=True) is None


def push_late(cluster: Cluster, name: str = "n2") -> Together:
    found = cluster.push_together()
    assert set(found.late) == {name}
    return found


def refused(cluster: Cluster) -> list[tuple[str, str]]:
    return [(row.node, row.key) for row in list_refused_rows(cluster.world.database)]


def refuse(cluster: Cluster, key: str) -> None:
    cluster.world.sql(
        "INSERT INTO node_refused_row (node_id, key, reason) SELECT id, %s, 'It was ill' FROM pbx_node WHERE name = 'n2'",
        key,
    )


def test_others_find_the_row_held_until_the_late_write_is_noted(cluster: Cluster) -> None:
    goes_on = cluster.hold_up("n2")
    cluster.move()
    found = push_late(cluster)
    assert is_held(cluster, "n2")
    assert cluster.push("n2") is None
    assert set(cluster.push_together().done) == {"n1", "n3"}
    goes_on.set()
    cluster.together.note_late(found.late["n2"])
    assert cluster.push("n2") == Converged(9, 0)


def test_an_audit_does_not_use_a_connection_that_is_being_written_to(cluster: Cluster) -> None:
    cluster.tamper("n2", [Gone("p", "desk001")])
    goes_on = cluster.hold_up("n2")
    cluster.move()
    found = push_late(cluster)
    with ThreadPoolExecutor(1) as another:
        auditing = another.submit(audit, cluster.world.database, "n2", cluster.nodes, RETRY_MAX)
        with pytest.raises(TimeoutError):
            auditing.result(0.5)
        goes_on.set()
        cluster.together.note_late(found.late["n2"])
        assert auditing.result(DEADLINE) == Audited(1)
    assert cluster.holds("n2") == cluster.truth()


def test_a_late_write_does_not_undo_the_mark_of_a_full_send(cluster: Cluster) -> None:
    """Else the send were forgotten, and the node counted as level without what it shall get."""
    goes_on = cluster.hold_up("n2")
    cluster.move()
    found = push_late(cluster)
    cluster.tamper("n2", [Gone("p", "desk002"), Gone("e", "0001*002")])
    cluster.world.sql("UPDATE pbx_node SET resync = true WHERE name = 'n2'")
    with closing(NodeConnections(cluster.world.settings)) as anothers:
        hold(cluster.world.database, "n2", anothers, RETRY_MAX, full_send.begin)
    goes_on.set()
    cluster.together.note_late(found.late["n2"])
    assert isinstance(cluster.push("n2"), Converged)
    assert cluster.holds("n2") == cluster.truth()


def _fail(*_: object) -> None:
    raise NodeUnavailable("away")


@pytest.mark.parametrize(
    "does", [converge, partial(hold, work=full_send.begin), partial(hold, work=_fail)], ids=["tell", "send", "fail"]
)  # fmt: skip
def test_a_fence_ends_by_itself_and_who_comes_then_takes_over(
    cluster: Cluster, does: Callable[..., object]
) -> None:
    cluster.together = replace(cluster.together, fenced_for=0.3)
    goes_on = cluster.hold_up("n2")
    cluster.move()
    found = push_late(cluster)
    wait_until(lambda: not is_held(cluster, "n2"), "the fence ends")
    with closing(NodeConnections(cluster.world.settings)) as anothers:
        does(database=cluster.world.database, node_name="n2", nodes=anothers, retry_max=RETRY_MAX)
    refuse(cluster, "e/0001*001")
    goes_on.set()
    cluster.together.note_late(found.late["n2"])
    assert refused(cluster) == [("n2", "e/0001*001")], "who took over knows better"


def test_who_is_late_with_an_older_write_leaves_the_fence_of_another_as_it_is(cluster: Cluster) -> None:
    cluster.together = replace(cluster.together, fenced_for=0.1)
    goes_on = cluster.hold_up("n2")
    cluster.move()
    older = push_late(cluster).late["n2"]
    wait_until(lambda: not is_held(cluster, "n2"), "the fence ends")
    cluster.world.sql(
        "UPDATE pbx_node SET written_until = clock_timestamp() + interval '60 s' WHERE name = 'n2'"
    )
    goes_on.set()
    cluster.together.note_late(older)
    assert is_held(cluster, "n2")


def test_a_row_that_a_late_node_took_is_no_longer_refused(cluster: Cluster) -> None:
    refuse(cluster, "e/0001*001")
    goes_on = cluster.hold_up("n2")
    cluster.move()
    found = push_late(cluster)
    goes_on.set()
    cluster.together.note_late(found.late["n2"])
    assert refused(cluster) == []


def test_what_a_late_node_refuses_is_noted_though_somebody_holds_its_row_for_a_moment(
    cluster: Cluster,
) -> None:
    goes_on = cluster.hold_up("n2")
    cluster.make_a_row_too_long()
    found = push_late(cluster)
    goes_on.set()
    with ThreadPoolExecutor(1) as another:
        with cluster.world.database.connection() as operator, operator.transaction():
            operator.execute("SELECT FROM pbx_node WHERE name = 'n2' FOR UPDATE")
            noting = another.submit(cluster.together.note_late, found.late["n2"])
            with pytest.raises(TimeoutError):
                noting.result(0.3)
        noting.result(DEADLINE)
    assert sorted(refused(cluster)) == [(name, "p/desk001") for name in NAMES]


@pytest.mark.parametrize("error", [NodeUnavailable("away"), NodeRefused("the secret of before")])
def test_a_late_failure_is_left_to_the_push_that_follows(cluster: Cluster, error: Exception) -> None:
    """An operator may have changed the node meanwhile: what was true of it before would keep it waiting for a minute."""
    goes_on = cluster.hold_up("n2", error)
    cluster.move()
    found = push_late(cluster)
    assert cluster.nodes.kept("n2") is not None
    goes_on.set()
    cluster.together.note_late(found.late["n2"])
    assert cluster.nodes.kept("n2") is None
    assert cluster.noted()["n2"] == (6, 0)
    pushed = cluster.push("n2")
    assert isinstance(pushed, PushFailed)
    assert pushed.begins
    assert cluster.noted()["n2"] == (6, 1)


def test_what_had_not_begun_when_patience_ended_is_not_written(cluster: Cluster) -> None:
    """Its thread is with another node that does not answer: a push of its own need not wait for that."""
    goes_on = cluster.hold_up("n1")
    with ThreadPoolExecutor(1) as hand:
        cluster.together = replace(cluster.together, hands=hand)
        cluster.move()
        found = push_late(cluster, "n1")
        assert not found.done
        assert cluster.push("n2") == Converged(9, 3)
        goes_on.set()
        cluster.together.note_late(found.late["n1"])
    assert cluster.told == {"n1": 3}
    assert cluster.noted() == {"n1": (6, 0), "n2": (9, 0), "n3": (6, 0)}


#: PostgreSQL lets nobody write down what n1 was sent in another turn.
_ANOTHER_TURN_FAILS = """
CREATE FUNCTION n1_is_broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'n1 is broken'; END $$;
CREATE TRIGGER n1_is_broken BEFORE UPDATE OF applied_version ON pbx_node FOR EACH ROW
    WHEN (NEW.name = 'n1' AND NEW.applied_version > 9) EXECUTE FUNCTION n1_is_broken()
"""


def test_who_is_late_is_not_forgotten_when_another_turn_fails(cluster: Cluster) -> None:
    """A push of its own would use the connection that is still written to."""

    def move() -> None:
        cluster.nodes.before_writing.pop("n1")
        cluster.move()
        number_all(cluster.world.database)

    goes_on = cluster.hold_up("n2")
    cluster.nodes.before_writing["n1"] = move
    for statement in _ANOTHER_TURN_FAILS.rsplit(";\n", 1):
        cluster.world.sql(statement)
    cluster.move()
    try:
        found = push_late(cluster)
    finally:
        cluster.world.sql("DROP FUNCTION n1_is_broken CASCADE")
        goes_on.set()
    assert not found.done
    assert cluster.noted()["n1"] == (9, 0)
    cluster.together.note_late(found.late["n2"])
    for name in NAMES:
        assert isinstance(cluster.push(name), Converged), "its own push"
        assert cluster.holds(name) == cluster.truth()
