"""The push worker as a process: how it starts, and what it does when it is the last one."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from localcluster.rabbitmq import RabbitCluster
from roost.pbx.node import Rings
from tests.cluster import Cluster
from workers.push import LOOK_EVERY


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


def test_looking_for_nodes_opens_no_connection_while_none_is_added(
    cluster: Cluster, rabbitmq: RabbitCluster
) -> None:
    cluster.settled()
    vhost = urlsplit(cluster.product.settings.need("broker_url")).path[1:]
    granted = f"granted access to vhost '{vhost}'"
    log = rabbitmq.nodes[0].folder / "rabbitmq.log"
    before = log.read_text(errors="replace").count(granted)
    assert before
    ends = time.monotonic() + 2.5 * LOOK_EVERY
    while time.monotonic() < ends:
        assert log.read_text(errors="replace").count(granted) == before
        time.sleep(0.1)
