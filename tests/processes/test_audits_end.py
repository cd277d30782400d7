"""A push worker that is told to end while it audits: an audit takes minutes, and whoever stops the service waits for seconds."""

from __future__ import annotations

from pathlib import Path

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from localcluster.simulator import inject
from roost.nodes.status import request_audit
from tests.cluster import running, wait_until
from tests.core.reading import MANY_DESKS, fill

NODES = ("n1", "n2", "n3")
_ALL_KNOWN = "SELECT bool_and(audited_at IS NOT NULL) FROM pbx_node"
_ALL_SENT = "SELECT NOT bool_or(resync OR send_began_at IS NOT NULL) FROM pbx_node"
_ONE_GOES_ON = "SELECT count(*) > 0 FROM node_audit WHERE began_at IS NOT NULL AND keys_done > 0"
_LEFT = (
    "SELECT count(*) FROM node_audit WHERE began_at IS NOT NULL AND keys_done > 0 AND seen_at = '-infinity'"
)
_NOT_BEGUN = "SELECT count(*) FROM node_audit WHERE requested_at IS NOT NULL"
_ALL_AUDITED = "SELECT NOT bool_or(requested_at IS NOT NULL OR began_at IS NOT NULL) FROM node_audit"


def test_a_push_worker_that_audits_ends_within_seconds_and_another_goes_on_with_the_audit(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path
) -> None:
    counts = {"center": 0, "bind": 0, "verify": 0}
    with running(postgres, rabbitmq, tmp_path, counts, nodes=NODES) as cluster:
        world, (push,) = cluster.world, cluster.product.of_kind("push")
        wait_until(lambda: world.value(_ALL_KNOWN) is True, "each was audited while it was empty", 30)
        fill(world, MANY_DESKS)
        world.sql("UPDATE pbx_node SET resync = true")
        wait_until(lambda: world.value(_ALL_SENT) is True, "all is sent", 60)
        request_audit(world.database)
        wait_until(lambda: world.value(_ONE_GOES_ON) is True, "one is audited, and the others wait", 30)
        for port in cluster.product.node_ports.values():
            inject(port, "slow", seconds=0.3)  # so that it would take a minute
        assert push.stop() == 0
        assert world.value(_LEFT) == 1
        assert world.value(_NOT_BEGUN) == len(NODES) - 1
        for port in cluster.product.node_ports.values():
            inject(port, "none")
        push.start()
        wait_until(lambda: world.value(_ALL_AUDITED) is True, "they are audited", 60)
