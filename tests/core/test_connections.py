"""Connections to nodes: which a push worker keeps."""

from __future__ import annotations

from contextlib import closing

import pytest

from roost.errors import NodeUnavailable
from roost.nodes.holding import look_at
from roost.pbx.node import PbxNode
from tests.cluster import wait_until
from tests.core.pushed_node import Node
from workers.node_queues import Looking


def answers(opened: PbxNode) -> bool:
    """Whether the connection is open."""
    try:
        opened.cursor()
    except NodeUnavailable:
        return False
    return True


def test_a_push_worker_keeps_no_connection_to_a_node_that_is_disabled(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.push()
    row = look_at(node.world.database, "n1")
    assert row is not None
    opened = node.connections.open(row)
    node.connections.keep_only({"n1", "n2"})
    assert answers(opened)
    monkeypatch.setattr("tasks.resources.database", lambda: node.world.database)
    monkeypatch.setattr("tasks.push._nodes", lambda: node.connections)
    node.world.sql("UPDATE pbx_node SET enabled = false")
    with closing(Looking()):
        wait_until(lambda: not answers(opened), "a look finds that it is needed no more", 10)
    assert answers(node.connections.open(row)), "a new one, when it is needed again"
