"""Workers that are killed, or asked to leave, in the middle of their work lose none of it and do none of it twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg
import pytest
from kombu import Connection
from pytest_celery import CeleryTestSetup, CeleryTestWorker

from localcluster.rabbitmq import RabbitCluster
from tasks.topology import ANNOUNCE, BIND, DEAD, DELIVERY_LIMIT, VERIFY, fixed_queues
from tests.celery import messages
from tests.celery.asker import Asker
from tests.cluster import Cluster, wait_until

LOAD = 200

_BLOCKED = """
SELECT client_port FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'roost-worker' AND wait_event_type = 'Lock'
"""


def test_the_job_of_a_killed_worker_is_done_by_another_once(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker
) -> None:
    move = messages.virtualize(office, "desk002", "001")
    with phone_held(office, "desk002"):
        asker.send("roost.virtualize", move)
        wait_until(lambda: _blocked(office) != set(), "a worker is in the middle of it")
        victim = _owner(celery_setup, _blocked(office).pop())
        victim.kill()
        others = [node for node in celery_setup.worker_cluster if node.name() != victim.name()]
        wait_until(lambda: any(_owns(n, p) for n in others for p in _blocked(office)), "another has the job")
    assert asker.hear(move["request_id"])[0].outcome == "virtualized"
    assert office.world.guests() == {"desk002": "001"}
    assert [row[:2] for row in office.world.journal()] == [("virtualize", "virtualized")]


def test_a_worker_that_is_asked_to_leave_under_load_does_so_in_time_and_loses_nothing(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker
) -> None:
    requests = [messages.dial(office, "desk003") for _ in range(LOAD)]
    for request in requests:
        asker.send("roost.dial", request)
    leaving = celery_setup.worker
    asker.hear(requests[0]["request_id"])
    started = time.monotonic()
    leaving.kill("SIGTERM")
    wait_until(lambda: not leaving.container.process.running, "it left", 10)
    assert time.monotonic() - started < 10
    assert leaving.container.process.stop() == 0
    answers = asker.hear(*(request["request_id"] for request in requests))
    assert {answer.outcome for answer in answers} == {"nothing_to_return"}
    assert len(office.world.journal()) == LOAD


@pytest.mark.parametrize(("queue", "left_over"), [(BIND, 1), (VERIFY, 1), (ANNOUNCE, 0)])
def test_what_is_given_back_too_often_is_set_aside(
    rabbitmq: RabbitCluster, queue: str, left_over: int
) -> None:
    """A request for an operator to look at; a wake-up is no loss."""
    with Connection(rabbitmq.add_vhost()) as connection, connection.channel() as channel:
        for declared in fixed_queues():
            declared(channel).declare()
        connection.Producer(auto_declare=False).publish(
            b"poison", exchange="", routing_key=queue, delivery_mode=2
        )
        for _ in range(DELIVERY_LIMIT + 1):
            wait_until(lambda: _give_back(channel, queue), "it is delivered")
        wait_until(lambda: _count(channel, queue) == 0, "it is not delivered again")
        wait_until(lambda: _count(channel, DEAD) == left_over, "it lies in dead")


def _give_back(channel: Any, queue: str) -> bool:
    message = channel.basic_get(queue)
    if message is None:
        return False
    channel.basic_reject(message.delivery_tag, requeue=True)
    return True


def _count(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


@contextmanager
def phone_held(office: Cluster, phone: str) -> Iterator[None]:
    """Nobody can change the phone meanwhile."""
    with psycopg.connect(office.product.database_url) as connection:
        connection.execute("SELECT 1 FROM phone WHERE name = %s FOR UPDATE", (phone,))
        yield


def _blocked(office: Cluster) -> set[int]:
    """The TCP ports of the workers' connections that wait for a lock."""
    with office.database.connection() as connection:
        return {port for (port,) in connection.execute(_BLOCKED)}


def _owner(setup: CeleryTestSetup, port: int) -> CeleryTestWorker:
    (owner,) = (node for node in setup.worker_cluster if _owns(node, port))
    return owner


def _owns(node: CeleryTestWorker, port: int) -> bool:
    """Whether the connection belongs to this worker or to a process of its pool."""
    if not node.container.process.running:
        return False
    worker = psutil.Process(node.container.process.pid)
    family = [worker, *worker.children(recursive=True)]
    return any(connection.laddr.port == port for one in family for connection in one.net_connections("tcp"))
