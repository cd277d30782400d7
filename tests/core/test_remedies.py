"""Every failing part has its remedy beside it: whatever state the doctor, the page of the cluster and `roost status` know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from roost.diagnosis.nodes import check_state
from roost.finding import Finding, Level
from roost.nodes.routes import announce
from roost.nodes.status import FAR_BEHIND, NodeState, cluster_status
from roost.not_reached import how_to_reach
from tasks.processes import KINDS, Processes
from tasks.queues import QueueDepth, Queues
from tests.cluster import wait_until
from tests.world import World
from workers.web.live.activity import Pulse
from workers.web.live.pictures import ClusterPicture, about_queues
from workers.web.metrics import Metrics
from workers.web.pages.render import render

TOP = Path(__file__).parent.parent.parent
#: However long a busy machine takes for the test, this is not long ago.
LATELY = "clock_timestamp() + interval '1 hour'"
#: How a node is in the database, and whether that is to be mended.
NODES = {
    "well": ("seen_at = {lately}, applied_version = {version}", False),
    "behind": ("seen_at = {lately}", False),
    "off": ("enabled = false, failures = 3, last_error = 'gone for good'", False),
    "fails": ("failures = 4, last_error = 'no route to host'", True),
    "unseen": ("seen_at = NULL", True),
    "left": ("seen_at = clock_timestamp() - interval '1 hour', applied_version = {version}", True),
    "lags": (f"seen_at = clock_timestamp() - interval '{FAR_BEHIND + 1} seconds'", True),
    "drifted": ("seen_at = {lately}, applied_version = {version}, drift = 2", True),
}


def findings_in(folder: str) -> Iterator[ast.Call]:
    """Where a finding is made."""
    for file in (TOP / folder).rglob("*.py"):
        for each in ast.walk(ast.parse(file.read_text())):
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "Finding":
                yield each


def test_nothing_is_found_wrong_without_a_remedy() -> None:
    made = [call for folder in ("roost", "workers") for call in findings_in(folder)]
    assert len(made) > 40
    without = [
        ast.unparse(call) for call in made if len(call.args) < 4 and ast.unparse(call.args[1]) != "Level.OK"
    ]
    assert without == []
    with pytest.raises(ValueError, match="how to mend"):
        Finding("nodes", Level.WARNING, "It is broken.")


@pytest.fixture
def nodes(world: World) -> World:
    """A node in each state."""
    world.organization()
    for name in NODES:
        world.node(name)
    world.desk("001", node="well")
    version = announce(world.database).numbered
    for name, (state, _) in NODES.items():
        world.sql(f"UPDATE pbx_node SET {state.format(version=version, lately=LATELY)} WHERE name = '{name}'")
    return world


def test_each_node_that_is_not_well_says_so_and_what_mends_it(nodes: World) -> None:
    slow = nodes.settings.model_copy(update={"sweep_every": 3600.0})
    status = {node.name: node for node in cluster_status(nodes.database).nodes}
    assert {node.state for node in status.values()} == set(NodeState)
    for name, (_, is_wrong) in NODES.items():
        # With the longest sweep nobody is late to look at it; what it lacks is old all the same.
        settings = slow if name == "lags" else nodes.settings
        found = list(check_state(status[name], settings, passing=False))
        assert (name, bool(found)) == (name, is_wrong)
        card = render("node_card.html", node=status[name], findings=found)
        assert (name, 'class="node-mend"' in card) == (name, is_wrong)
        assert (name, "nobody reaches it" in card, "tag good" in card) == (
            name, name == "left", name in {"well", "drifted"},
        )  # fmt: skip
        assert ("left: pushed to not for 3600 s" in card) is (name == "left")


def test_the_page_says_why_rabbitmq_cannot_be_used_and_what_mends_that(nodes: World) -> None:
    nobody = SecretStr("amqp://roost:hunter2@127.0.0.1:1/")
    settings = nodes.settings.model_copy(update={"broker_url": nobody})
    with (
        closing(Processes(settings)) as processes,
        closing(ClusterPicture(nodes.database, Queues(settings), processes, Pulse(nodes.database, Metrics()), settings)) as picture,
    ):  # fmt: skip
        wait_until(lambda: "RabbitMQ cannot be used" in picture()["cluster-advice"], "it is said", 30)
        shown = picture()
    for part in ("cluster-advice", "cluster-queues"):
        assert "Start RabbitMQ, or mend the address." in shown[part]
        assert "hunter2" not in shown[part]
    assert "start the processes" in shown["cluster-processes"]
    assert shown["cluster-advice"].count("<li") == 1 + sum(is_wrong for _, is_wrong in NODES.values())


def test_each_queue_and_each_kind_of_process_that_is_missing_says_what_to_start() -> None:
    for queue in (QueueDepth("bind", None, None), QueueDepth("verify", 3, 0), QueueDepth("push.n1", 1, 0)):
        worker = queue.name if queue.name in {"bind", "verify"} else "push"
        assert f"Start a <code>{worker}</code> worker." in of_queue(queue)
    assert "Add a <code>bind</code> worker." in of_queue(QueueDepth("bind", 101, 4))
    assert "Look at the workers" in of_queue(QueueDepth("dead", 1, 0))
    assert "tag" not in of_queue(QueueDepth("bind", 100, 4))
    page = render("processes.html", processes=[], kinds=KINDS)
    assert all(f"start it with roost run {kind}" in page for kind in KINDS)


def of_queue(queue: QueueDepth) -> str:
    """Its row on the page."""
    return render("queues.html", queues=[(queue, about_queues([queue]))], away=None)


#: As PostgreSQL and libpq write them.
_NOT_REACHED = {
    'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "roost", database "roost", no encryption': "pg_hba.conf there, and reload",
    'FATAL:  Peer authentication failed for user "roost"': "Name a host",
    'FATAL:  password authentication failed for user "roost"': "Mend the user or the password",
    'FATAL:  role "roost" does not exist': "createuser",
    'FATAL:  database "roost" does not exist': "createdb",
    'FATAL:  permission denied for database "roost"': "GRANT CONNECT",
    'FATAL:  role "roost" is not permitted to log in': "ALTER ROLE … LOGIN",
    "FATAL:  sorry, too many clients already": "max_connections",
    "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute": "max_connections",
    'FATAL:  too many connections for role "roost"': "max_connections",
    "FATAL:  the database system is starting up": "Wait until it is up",
    "FATAL:  the database system is in recovery mode": "Wait until it is up",
    "connection to server failed: session is read-only": "name the primary",
    "FATAL:  unsupported startup parameter: options": "PgBouncer",
    "server does not support SSL, but SSL was required": "sslmode=",
    "received invalid response to SSL negotiation: H": "Another program has this port",
    "expected authentication request from server, but received H": "Another program has this port",
    "failed to resolve host 'db': [Errno -2] Name or service not known": "Mend the host",
    'could not translate host name "db" to address: Name or service not known': "Mend the host",
    "connection timeout expired": "the firewall between",
    "connection failed: Connection timed out": "the firewall between",
    "connection failed: No route to host": "the firewall between",
    "connection failed: Connection refused": "listen_addresses",
    "something that nobody knows": "Start it, or mend ROOST_DATABASE_URL.",
}  # fmt: skip


@pytest.mark.parametrize("why", _NOT_REACHED)
def test_whatever_keeps_postgresql_from_being_reached_has_its_own_remedy(why: str) -> None:
    assert _NOT_REACHED[why] in how_to_reach(why)
