"""A row that a node cannot hold waits alone, and is tried again."""

from __future__ import annotations

import pytest

from localcluster.simulator import inject
from roost.directory.node_scope import set_scope
from roost.directory.nodes import NodeDirectory
from roost.nodes.audit import Audited
from roost.nodes.converge import Converged
from roost.nodes.holding import PushFailed
from roost.nodes.refused_rows import TRIED_AGAIN, list_refused_rows, note
from roost.nodes.status import cluster_status
from roost.pbx.node import Gone, RefusedRow, Rings
from tests.core.pushed_node import Node
from tests.world import World

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


@pytest.mark.parametrize("scope", [None, ["0002", "0001"]])
def test_a_refused_row_that_the_node_is_to_have_no_more_is_forgotten(
    node: Node, scope: list[str] | None
) -> None:
    world = node.world
    world.organization("0002")
    world.desk("901", organization="0002", phone=False)
    set_scope(world.database, "n1", scope)
    node.push()
    node.push()
    world.sql(
        "INSERT INTO node_refused_row (node_id, key, reason) SELECT id, 'e/0002*901', 'It was ill' FROM pbx_node"
    )
    node.tamper([Gone("e", "0002*901")])
    set_scope(world.database, "n1", ["0001"])
    node.push()
    node.push()
    assert list_refused_rows(world.database) == []


def test_news_get_through_to_a_node_that_fails_at_the_many_rows_it_is_to_try_again(node: Node) -> None:
    node.push()
    node.world.sql(
        "INSERT INTO node_refused_row (node_id, key, reason, due)"
        " SELECT id, 'e/0001*' || 1000 + i, 'It was ill', true FROM pbx_node, generate_series(1, %s) i",
        2 * TRIED_AGAIN + 7,
    )
    node.world.sql("UPDATE extension SET number = '009' WHERE number = '003'")
    inject(node.simulator.address.port, "drop-connection", after="30")
    assert isinstance(node.push(), PushFailed)
    inject(node.simulator.address.port, "none")
    assert node.holds() == node.truth()
    assert node.world.value(_DUE) == TRIED_AGAIN + 7
    node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
    assert node.push() == Converged(9, TRIED_AGAIN + 7), "the others, in two turns"
    assert len(list_refused_rows(node.world.database, limit=1000)) == TRIED_AGAIN


def test_more_rows_than_may_fail_at_once_were_refused_one_by_one_and_hold_up_nothing(node: Node) -> None:
    """Neither news of all of them, nor a full send, nor an audit, which try them together."""
    node.push()
    inject(node.simulator.address.port, "error", keys="e/0001*9")
    for first in (9000, 9100):
        node.world.sql(
            "INSERT INTO extension (organization_id, number) SELECT id, i::text FROM organization, generate_series(%s::int, %s::int) i",
            first,
            first + 59,
        )
        assert isinstance(node.push(), Converged)
    node.world.sql("UPDATE extension SET name = 'Changed'")
    node.world.sql("UPDATE extension SET number = '009' WHERE number = '003'")
    assert isinstance(node.push(), Converged)
    assert node.audit() == Audited(0)
    node.world.sql("UPDATE pbx_node SET resync = true")
    assert isinstance(node.push(), Converged)
    missing = node.truth().keys() - node.holds().keys()
    refused = list_refused_rows(node.world.database, limit=1000)
    assert {("e", row.key[2:]) for row in refused} == missing
    assert len(missing) == 120
    inject(node.simulator.address.port, "none")
    assert node.audit() == Audited(120)
    assert list_refused_rows(node.world.database) == []


_DUE = "SELECT count(*) FROM node_refused_row WHERE due"


def test_rows_that_are_refused_again_are_noted_so_however_many_there_are(world: World) -> None:
    world.node()
    number = world.value("SELECT id FROM pbx_node")
    assert isinstance(number, int)

    def refuse(rows: range, reason: str) -> None:
        with world.database.connection() as connection:
            note(connection, number, [], [RefusedRow(("p", f"desk{row}"), reason) for row in rows])

    refuse(range(1000), "It was ill")
    world.sql("UPDATE node_refused_row SET due = true")
    refuse(range(500, 1500), "It is ill")
    assert world.rows("SELECT due, reason, count(*) FROM node_refused_row GROUP BY 1, 2 ORDER BY 1") == [
        (False, "It is ill", 500),
        (True, "It was ill", 500),
    ]


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
