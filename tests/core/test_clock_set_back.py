"""PostgreSQL's clock is set back by hours, as on a host that began with the wrong one: times that are still to come keep no node waiting, and nobody."""

from __future__ import annotations

import pytest

from roost.nodes.audit import Audited
from roost.nodes.converge import Converged, converge
from roost.nodes.holding import longest_delay
from roost.nodes.routes import sweep
from roost.people.person import Role
from roost.people.sessions import Sessions, WrongPassword
from tests.core.pushed_node import RETRY_MAX, Node
from tests.world import World

TO_COME = "clock_timestamp() + interval '2 hours'"


def test_a_node_that_failed_then_is_tried_again(node: Node) -> None:
    node.push()
    node.world.sql(
        f"UPDATE pbx_node SET failures = 3, failure = 'node_unavailable', last_error = '?', next_attempt_at = {TO_COME}"
    )
    assert sweep(node.world.database, 0, longest_delay(RETRY_MAX)).nodes == ["n1"]
    assert isinstance(node.push(), Converged)


def test_a_node_that_is_to_wait_long_waits(node: Node) -> None:
    node.push()
    node.world.sql(
        f"UPDATE pbx_node SET failures = 3, failure = 'node_unavailable', last_error = '?', next_attempt_at = {TO_COME}"
    )
    assert sweep(node.world.database, 0, longest_delay(3 * 3600)).nodes == []
    assert converge(node.world.database, "n1", node.connections, 3 * 3600) is None


def test_a_node_that_was_seen_then_is_looked_at(node: Node) -> None:
    node.push()
    node.world.sql(f"UPDATE pbx_node SET seen_at = {TO_COME}")
    assert sweep(node.world.database, 1).nodes == ["n1"]


def test_a_fence_of_years_holds_nobody(node: Node) -> None:
    node.world.sql("UPDATE pbx_node SET written_until = clock_timestamp() + interval '1 year'")
    assert isinstance(node.push(), Converged)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE pbx_node SET audited_at = {TO_COME}",
        f"INSERT INTO node_audit (node_id, began_at, seen_at) SELECT id, {TO_COME}, {TO_COME} FROM pbx_node",
    ],
)
def test_an_audit_is_due_and_taken_over(node: Node, statement: str) -> None:
    node.push()
    node.world.sql("UPDATE pbx_node SET audited_at = clock_timestamp()")
    node.world.sql(statement)
    pushed = converge(node.world.database, "n1", node.connections, RETRY_MAX, audit_every=3600)
    assert isinstance(pushed, Converged)
    assert pushed.audit_due
    assert isinstance(node.audit(), Audited)


def test_a_wrong_password_of_then_keeps_nobody_from_signing_in(world: World) -> None:
    world.person("ana", "a password that is long", Role.OPERATOR)
    sessions = Sessions(world.database, world.settings)
    with pytest.raises(WrongPassword):
        sessions.sign_in("ana", "another one", "192.0.2.1")
    world.sql("UPDATE sign_in_try SET at = at + interval '2 hours'")
    assert sessions.sign_in("ana", "a password that is long", "192.0.2.1")
