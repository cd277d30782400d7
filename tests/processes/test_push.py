"""The push worker as a process: how it starts, and what it does when it is the last one."""

from __future__ import annotations

from roost.pbx.node import Rings
from tests.cluster import Cluster


def test_a_push_worker_starts_though_wake_ups_wait_for_it(cluster: Cluster) -> None:
    cluster.reset()
    cluster.world.organization()
    for place, number in enumerate(("001", "002")):
        cluster.world.desk(number, node=f"n{place + 1}")
    (push,) = cluster.product.of_kind("push")
    push.stop()
    code = cluster.world.codes["0001", "001"]
    assert cluster.call("desk002", "*30001", code).outcome == "virtualized"
    for _ in range(3):
        push.start()
        cluster.settled()
        push.stop()
        cluster.call("desk002", "*30")
        cluster.call("desk002", "*30001", code)
    push.start()
    cluster.settled()
    assert cluster.node_holds("n3")["e", "0001*001"] == Rings("0001*001", "n2", "desk002")
