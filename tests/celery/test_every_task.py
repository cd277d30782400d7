"""The queues are what tasks/topology.py says, and a task of every kind is served by the worker it is for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from localcluster.rabbitmq import RabbitCluster
from roost.nodes.routes import announce
from roost.pbx.node import Rings
from tasks.periodic import END_STAYS
from tasks.topology import ANNOUNCE, BIND, DELIVERY_LIMIT, PUSH, fixed_queues, push_queue
from tasks.wake import ANNOUNCE_TASK, PUSH_SEVERAL_TASK, PUSH_TASK
from tests.celery import messages
from tests.celery.asker import Asker
from tests.cluster import Cluster, wait_until
from tests.world import World


@pytest.fixture
def no_beat(office: Cluster) -> Iterator[None]:
    """Nothing happens by itself."""
    office.settled()
    for beat in office.product.of_kind("beat"):
        beat.pause()
    yield
    for beat in office.product.of_kind("beat"):
        beat.resume()


def test_dial_virtualize_and_return(office: Cluster, asker: Asker) -> None:
    assert asker.ask("roost.dial", messages.dial(office, "desk002", "001")).outcome == "code_needed"
    assert (
        asker.ask("roost.virtualize", messages.virtualize(office, "desk002", "001")).outcome == "virtualized"
    )
    assert asker.ask("roost.return", messages.return_home(office, "001")).outcome == "returned"
    assert asker.ask("roost.dial", messages.dial(office, "desk002")).outcome == "nothing_to_return"


def test_set_code_and_verify_which_goes_on_to_bind(office: Cluster, asker: Asker) -> None:
    assert asker.ask("roost.set_code", messages.set_code(office, "001", "4711")).outcome == "code_set"
    wrong = messages.attempt(office, "desk002", "001", "0815")
    assert asker.ask("roost.verify", wrong).outcome == "wrong_code"
    right = messages.attempt(office, "desk002", "001", "4711")
    assert asker.ask("roost.verify", right).outcome == "virtualized"
    assert office.world.guests() == {"desk002": "001"}


def test_clock(asker: Asker) -> None:
    asker.send("roost.clock", "clock:1")
    assert asker.hear("clock:1")[0].now is not None


@pytest.mark.usefixtures("no_beat")
def test_announce_numbers_what_was_left_behind(office: Cluster, asker: Asker) -> None:
    office.world.sql(
        "UPDATE phone SET node_id = (SELECT id FROM pbx_node WHERE name = 'n3') WHERE name = 'desk001'"
    )
    asker.send(ANNOUNCE_TASK, queue=ANNOUNCE)
    office.settled()
    assert office.node_holds("n2")["e", "0001*001"] == Rings("0001*001", "n3", "desk001")


@pytest.mark.usefixtures("no_beat")
def test_push_brings_its_node_to_the_truth_and_no_other(office: Cluster, asker: Asker) -> None:
    office.world.move("001", "desk002")
    announce(office.database)
    asker.send(PUSH_TASK, "n3", queue=push_queue("n3"))
    moved = Rings("0001*001", "n2", "desk002")
    wait_until(lambda: office.node_holds("n3")["e", "0001*001"] == moved, "n3 was told")
    assert office.node_holds("n1")["e", "0001*001"] == Rings("0001*001", "n1", "desk001")
    asker.send(PUSH_SEVERAL_TASK, ["nowhere", "n1", "n2"], queue=PUSH)
    office.settled()
    assert {office.node_holds(node)["e", "0001*001"] for node in ("n1", "n2")} == {moved}


@pytest.mark.usefixtures("no_beat")
def test_end_stays_many_times_at_once_ends_a_stay_once(office: Cluster, asker: Asker) -> None:
    office.world.sql("UPDATE organization SET max_stay = interval '1 microsecond'")
    office.world.move("001", "desk002")
    for _ in range(20):
        asker.send(END_STAYS, queue=BIND)
    wait_until(lambda: office.world.guests() == {}, "the stay has ended")
    asker.ask("roost.dial", messages.dial(office, "desk003"))  # behind them in the queue
    assert [row[1] for row in office.world.journal() if row[4] == "stay_ended"] == ["returned"]


def test_what_keeps_stays_from_ending_keeps_nothing_from_being_forgotten(office: Cluster) -> None:
    with broken_function(office.world, "stay_end_and_reason"):
        office.world.sql("INSERT INTO call (id, seen_at) VALUES ('old', now() - interval '1 year')")
        forgotten = "SELECT count(*) FROM call WHERE id = 'old'"
        wait_until(lambda: office.world.value(forgotten) == 0, "the old call is forgotten", 15)


@contextmanager
def broken_function(world: World, name: str) -> Iterator[None]:
    """Whoever calls it has an error that nobody foresaw."""
    world.sql(f"ALTER FUNCTION {name} RENAME TO {name}_gone")
    yield
    world.sql(f"ALTER FUNCTION {name}_gone RENAME TO {name}")


def test_two_beats_end_a_stay_once(office: Cluster) -> None:
    assert sum(beat.running for beat in office.product.of_kind("beat")) == 2
    office.world.sql("UPDATE organization SET max_stay = interval '1 microsecond'")
    office.world.move("001", "desk002")
    wait_until(lambda: office.world.guests() == {}, "the stay has ended", 15)
    office.settled()
    assert [row[1] for row in office.world.journal() if row[4] == "stay_ended"] == ["returned"]


@pytest.mark.usefixtures("celery_setup")
def test_every_queue_is_a_quorum_queue_with_its_arguments(office: Cluster, rabbitmq: RabbitCluster) -> None:
    office.settled()  # the push worker has declared the nodes' queues
    vhost = urlsplit(office.product.settings.need("broker_url")).path[1:]
    printed = rabbitmq.nodes[0].ctl(
        "list_queues", "-p", vhost, "--formatter", "json", "name", "type", "durable", "arguments"
    )
    found = {row["name"]: row for row in json.loads(printed)}
    for queue in (*fixed_queues(), *(push_queue(node) for node in ("n1", "n2", "n3"))):
        row = found[queue.name]
        wanted = queue.as_dict()["queue_arguments"]
        given = {name: value for name, (_, _, value) in _arguments(row["arguments"])}
        assert (row["type"], row["durable"], given) == ("quorum", True, wanted)
        assert wanted["x-delivery-limit"] == DELIVERY_LIMIT
    others = [name for name in found if not name.startswith(("push.", "reply.", "celeryev."))]
    assert {name for name in others if not name.endswith(".celery.pidbox")} == {
        q.name for q in fixed_queues()
    }


def _arguments(listed: object) -> list[tuple[str, tuple[str, str, object]]]:
    """rabbitmqctl lists arguments as {name: value} or as [[name, type, value], …], with its version."""
    if isinstance(listed, dict):
        return [(name, (name, "", value)) for name, value in listed.items()]
    assert isinstance(listed, list)
    return [(name, (name, kind, value)) for name, kind, value in listed]
