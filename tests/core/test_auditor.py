"""The audits of a push worker: whose waits for whose."""

from __future__ import annotations

import socket
import threading
from queue import Queue

from roost.nodes.holding import PushFailed
from tasks.auditing import Auditor
from tasks.nodes import NodeConnections
from tests.world import World


def test_a_node_that_is_audited_often_does_not_wait_for_one_that_does_not_answer(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as closed:
        world.node("slow", port=silent.getsockname()[1])
        world.node("box", port=closed.getsockname()[1], kind="freepbx")
        closed.close()
        told: Queue[tuple[str, PushFailed]] = Queue()
        auditor = Auditor(
            world.database, NodeConnections(world.settings), 3.0, lambda _node: None, threading.Event(),
            lambda node, failed: told.put((node, failed)),
        )  # fmt: skip
        auditor.ask("slow")
        auditor.ask("box", often=True)
        heard = [told.get(timeout=30) for _ in range(2)]
    assert [node for node, _ in heard] == ["box", "slow"]
    assert "did not answer" in heard[1][1].error
