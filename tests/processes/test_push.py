"""The push worker as a process: how it starts, what it does when it is the last one, and what looking for nodes costs."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from amqp.exceptions import NotFound  # type: ignore[import-untyped]  # it ships no types
from structlog.testing import capture_logs

from localcluster import ports
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from localcluster.simulator import inject
from roost.database import Database
from roost.pbx.node import Rings
from tasks.broker import connect
from tasks.topology import push_queue, push_queue_name
from tests.cluster import Cluster, wait_until
from tests.world import World
from workers.node_queues import Looking


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


def test_a_node_that_is_away_is_a_line_when_it_goes_and_one_when_it_is_back_with_how_often_between(
    cluster: Cluster,
) -> None:
    cluster.reset()
    cluster.settled()
    log = cluster.product.processes["push1"].log
    before = len(log.read_text())
    simulator = cluster.product.processes["simulator"]
    simulator.kill()
    try:
        wait_until(
            lambda: bool(cluster.world.value("SELECT min(failures) >= 3 FROM pbx_node")),
            "it is tried again and again",
            60,
        )
    finally:
        simulator.start()
    cluster.settled(60)

    def said(event: str) -> dict[str, list[dict[str, Any]]]:
        lines = [json.loads(line) for line in log.read_text()[before:].rpartition("\n")[0].splitlines()]
        return {
            node: [line for line in lines if (line["event"], line.get("node")) == (event, node)]
            for node in ("n1", "n2", "n3")
        }

    wait_until(lambda: all(said("node_back").values()), "it is said", 10)
    for node, gone in said("node_failed").items():
        (back,) = said("node_back")[node]
        assert [line["code"] for line in gone] == ["node_unavailable"]
        assert back["attempts"] >= 3


#: PostgreSQL lets nobody write down that n2 has news.
_N2_IS_BROKEN = """
CREATE FUNCTION n2_is_broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'n2 is broken'; END $$;
CREATE TRIGGER n2_is_broken BEFORE UPDATE OF applied_version ON pbx_node FOR EACH ROW
    WHEN (NEW.name = 'n2' AND NEW.applied_version > OLD.applied_version) EXECUTE FUNCTION n2_is_broken()
"""
_OTHERS_ARE_AHEAD = """
SELECT min(applied_version) > (SELECT applied_version FROM pbx_node WHERE name = 'n2') FROM pbx_node WHERE name IN ('n1', 'n3')
"""


def test_what_nobody_expects_of_a_node_harms_none_that_is_pushed_to_with_it(cluster: Cluster) -> None:
    cluster.office("001", "002", "003")
    cluster.settled()
    log = cluster.product.processes["push1"].log
    before = len(log.read_text())
    phones = cycle(("desk002", "desk003"))

    def was_pushed_to_with_others() -> bool:
        """Again and again, for a node that is late, or is pushed to already, gets a push of its own."""
        assert cluster.ask_to_move("001", next(phones)) == "virtualized"
        return '"event": "pushed_one_by_one"' in log.read_text()[before:]

    for statement in _N2_IS_BROKEN.rsplit(";\n", 1):
        cluster.world.sql(statement)
    try:
        wait_until(was_pushed_to_with_others, "it was pushed to together with others")
        wait_until(
            lambda: bool(cluster.world.value(_OTHERS_ARE_AHEAD)), "the others have it, and it is noted"
        )
    finally:
        cluster.world.sql("DROP FUNCTION n2_is_broken CASCADE")
    cluster.settled()
    assert cluster.node_holds("n2") == cluster.node_holds("n1")


def test_a_node_that_is_late_is_written_behind_a_fence_and_then_free(cluster: Cluster) -> None:
    cluster.office("001", "002", "003")
    cluster.settled()
    fence = "SELECT written_until IS NOT NULL FROM pbx_node WHERE name = 'n2'"
    phones = cycle(("desk002", "desk003"))

    def is_late() -> bool:
        """Again and again, for a push of its own, which the sweep asks for, needs no fence."""
        assert cluster.ask_to_move("001", next(phones)) == "virtualized"
        return cluster.world.value(fence) is True

    inject(cluster.product.node_ports["n2"], "slow", seconds=0.5)
    try:
        wait_until(is_late, "it is late")
    finally:
        inject(cluster.product.node_ports["n2"], "none")
    cluster.settled(20)
    assert cluster.world.value(fence) is False
    assert cluster.node_holds("n2") == cluster.node_holds("n1")


def is_hung_up(connection: socket.socket) -> bool:
    """Whether the other end has closed it."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return False
    return True


def test_a_dozen_nodes_that_do_not_answer_keep_no_other_waiting(
    cluster: Cluster,
) -> None:
    cluster.office("001", "002")
    cluster.settled()
    silent = [f"a{number:02}" for number in range(12)]
    try:
        with ExitStack() as sockets:
            nobody = sockets.enter_context(socket.create_server((ports.LOOPBACK, 0), backlog=100))
            nobody.settimeout(20)
            # In one statement: one message names all of them. They keep pace, as far as is known.
            cluster.world.sql(
                "INSERT INTO pbx_node (name, kind, host, port, username, secret, applied_version) "
                "SELECT unnest(%s::text[]), kind, host, %s, username, secret, applied_version FROM pbx_node WHERE name = 'n1'",
                silent,
                nobody.getsockname()[1],
            )
            asked = [sockets.enter_context(nobody.accept()[0]) for _ in silent]
            assert cluster.ask_to_move("001", "desk002") == "virtualized"
            wait_until(lambda: cluster.world.value(_ALL_OTHERS_HAVE_IT) is True, "the others have it")
            assert not any(map(is_hung_up, asked)), "no thread has given up meanwhile"
    finally:
        cluster.world.sql("DELETE FROM pbx_node WHERE name = ANY (%s)", silent)
    cluster.settled()


_ALL_OTHERS_HAVE_IT = """
SELECT min(applied_version) = (SELECT max(version) FROM route) FROM pbx_node WHERE name IN ('n1', 'n2', 'n3')
   AND NOT EXISTS (SELECT FROM route_dirty)
"""


def consumed(channel: Any, *nodes: str) -> set[str]:
    """Those of these nodes whose queue is there, and consumed."""
    found = set()
    for node in nodes:
        with suppress(NotFound):
            if channel.queue_declare(push_queue_name(node), passive=True).consumer_count:
                found.add(node)
    return found


@pytest.fixture
def alone(rabbitmq: RabbitCluster, database_url: str, tmp_path: Path) -> Iterator[Product]:
    """A push worker with a virtual host of its own: every connection there is this worker's."""
    none = {"center": 0, "bind": 0, "verify": 0, "beat": 0}
    with Product(
        tmp_path, database_url=database_url, broker_url=rabbitmq.add_vhost(), counts=none
    ) as product:
        yield product


def test_looking_for_nodes_opens_no_connection_while_none_is_added(
    alone: Product, database: Database, rabbitmq: RabbitCluster
) -> None:
    """That it looked is seen by what a look does: the worker leaves the queue of a node that was disabled."""
    broker = rabbitmq.nodes[0]
    vhost = urlsplit(alone.settings.need("broker_url")).path[1:]
    world = World(database, alone.settings)

    def connections() -> int:
        log = (broker.folder / "rabbitmq.log").read_text(errors="replace")
        return log.count(f"granted access to vhost '{vhost}'")

    with connect(alone.broker_url) as watcher:
        channel = watcher.default_channel
        for node in ("n1", "n2"):
            push_queue(node)(channel).declare()
            world.node(node)
        wait_until(lambda: consumed(channel, "n1", "n2") == {"n1", "n2"}, "both are found", 30)
        before = connections()
        world.sql("UPDATE pbx_node SET enabled = false WHERE name = 'n2'")
        wait_until(lambda: consumed(channel, "n1", "n2") == {"n1"}, "the worker looked", 30)
        assert connections() == before
        world.sql("UPDATE pbx_node SET enabled = true WHERE name = 'n2'")
        wait_until(lambda: consumed(channel, "n1", "n2") == {"n1", "n2"}, "n2 is back", 30)
        assert connections() > before, "a connection is not seen here"
    assert f"vhost '{vhost}' refused" not in (broker.folder / "rabbitmq.log").read_text(errors="replace")


def test_a_queue_that_cannot_be_made_keeps_no_other_node_waiting(
    alone: Product, database: Database, rabbitmq: RabbitCluster
) -> None:
    """One has another type than Roost's; of one RabbitMQ has a remnant, and fails to start a second under its name."""
    world = World(database, alone.settings)
    with connect(alone.broker_url) as watcher:
        channel = watcher.default_channel
        channel.queue_declare(push_queue_name("n1"), durable=True, auto_delete=False)
        vhost = urlsplit(alone.settings.need("broker_url")).path[1:]
        rabbitmq.nodes[0].lose_leader(vhost, push_queue_name("n2"))
        push_queue("n3")(channel).declare()
        for node in ("n1", "n2", "n3"):
            world.node(node)
        wait_until(lambda: consumed(channel, "n3") == {"n3"}, "n3 is found", 30)
        log = alone.processes["push1"].log
        for node, error in (("n1", "PreconditionFailed"), ("n2", "InternalError")):
            refused = re.compile(rf"queue_refused .*error={error} node={node} ")
            wait_until(lambda: refused.search(log.read_text()) is not None, f"{node} is named", 10)  # noqa: B023  # called at once
        channel.queue_delete(push_queue_name("n1"))
        push_queue("n1")(channel).declare()
        wait_until(lambda: consumed(channel, "n1", "n3") == {"n1", "n3"}, "n1 is tried again", 30)


def test_a_look_for_nodes_while_postgresql_is_away_is_no_failed_task(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.node_queues.LOOK_EVERY", 0.1)
    nobody = f"postgresql://roost@{ports.LOOPBACK}:{ports.free_port()}/roost"
    with closing(Database(nobody)) as away, capture_logs() as lines:
        monkeypatch.setattr("tasks.resources.database", lambda: away)
        with closing(Looking()):
            wait_until(lambda: lines != [], "it is said", 30)
            monkeypatch.setattr("tasks.resources.database", lambda: database)
            wait_until(
                lambda: lines[-1]["event"] == "database_back", "the next look says that it is over", 30
            )
    assert lines[-1]["failed"] == 0


def test_queues_without_a_leader_are_made_anew_side_by_side(
    alone: Product, database: Database, rabbitmq: RabbitCluster
) -> None:
    """Each takes RabbitMQ five seconds: a crash may leave one for every node, and the last would be told of no move for minutes."""
    vhost = urlsplit(alone.settings.need("broker_url")).path[1:]
    nodes = ("n1", "n2", "n3")
    with connect(alone.broker_url) as watcher:
        channel = watcher.default_channel
        for node in nodes:
            push_queue(node)(channel).declare()
            rabbitmq.nodes[0].lose_leader(vhost, push_queue_name(node))
        world = World(database, alone.settings)
        # In one statement: one look finds all three.
        world.sql(
            "INSERT INTO pbx_node (name, kind, host, port, username, secret) "
            "SELECT unnest(%s::text[]), 'asterisk', 'localhost', 1, '', ''",
            [*nodes],
        )
        wait_until(lambda: consumed(channel, *nodes) == set(nodes), "all are made anew", 90)
    found = re.findall(
        r"^(\S+) .*queue_without_leader", alone.processes["push1"].log.read_text(), re.MULTILINE
    )
    times = [datetime.fromisoformat(time) for time in found]
    assert len(times) == len(nodes)
    assert max(times) - min(times) < timedelta(seconds=5)
