"""Messages that no worker can read harm nobody: no worker ends, and the next request is served."""

from __future__ import annotations

import pytest

from chaos.message_faults import publish, unreadable
from tasks.topology import ANNOUNCE, BIND, PUSH, VERIFY, push_queue_name
from tests.cluster import Cluster


@pytest.mark.parametrize("queue", [BIND, VERIFY, ANNOUNCE, PUSH, push_queue_name("n1")])
def test_no_message_ends_a_worker(cluster: Cluster, queue: str) -> None:
    cluster.reset()
    cluster.world.organization()
    for number in ("001", "002"):
        cluster.world.desk(number)
    before = {name: process.pid for name, process in cluster.product.processes.items()}
    publish(cluster.product.broker_url, queue, unreadable() * 2)
    code = cluster.world.codes["0001", "001"]
    assert cluster.call("desk002", "*30001", code).outcome == "virtualized"
    cluster.settled()
    assert {name: process.pid for name, process in cluster.product.processes.items()} == before
