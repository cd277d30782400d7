"""A message that no worker can read, or that another version wrote, harms nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_celery import CeleryTestSetup

from localcluster.rabbitmq import RabbitCluster
from tasks.topology import BIND, VERIFY
from tests.celery import messages
from tests.celery.asker import Asker
from tests.cluster import Cluster, wait_until
from tests.world import new_id

EMBED: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

#: Bodies that are no arguments of a task: bytes, or what JSON says.
BODIES: tuple[Any, ...] = (
    b"{", b"\xff\xfe", b"", b"[" * 100_000, None, 7, "roost", {"args": []}, [[]], [[{}], {}, EMBED, 4],
    [[], {}, EMBED], [[{}, {}], {}, EMBED], [[], {"other": 1}, EMBED], [7, 8, 9], [["x"], {}, EMBED],
    [[None], {}, EMBED], [[{}], {}, EMBED], [[{"request_id": 1, "phone": 2, "made_at": 3}], {}, EMBED],
    [[{"request_id": "\ud800"}], {}, EMBED], [[{"request_id": "x" * 1_000_000}], {}, EMBED],
)  # fmt: skip

#: Headers that Celery would not write, beside those that it would.
HEADERS: tuple[dict[str, Any], ...] = (
    {"id": None}, {"task": "roost.unheard_of"}, {"task": 7, "id": 8}, {"eta": "tomorrow"}, {"expires": "never"},
    {"timelimit": "short"}, {"timelimit": [1, 2, 3]}, {"retries": "many"}, {"argsrepr": 7}, {"root_id": 7},
    {"eta": "2999-01-01T00:00:00"}, {"group": 7}, {"ignore_result": "x"}, {"lang": "c"}, {"stamped_headers": 7}, {"replaced_task_nesting": "x"},
)  # fmt: skip

CONTENT_TYPES = ("application/x-python-serialize", "application/x-yaml", "text/plain", "", "x")

#: Asked of the queues themselves: what RabbitMQ lists is up to five seconds old.
_COUNT = """
lists:sum([begin
    {{ok, Queue}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{vhost}">>, queue, Name)),
    {{ok, {{_, Messages}}, _}} = ra:leader_query(amqqueue:get_pid(Queue), fun rabbit_fifo:query_messages_total/1),
    Messages
end || Name <- [<<"{bind}">>, <<"{verify}">>]]).
"""


def test_bodies_that_nobody_can_read(unharmed: None, asker: Asker) -> None:
    for queue, task in ((BIND, "roost.dial"), (BIND, "roost.clock"), (VERIFY, "roost.verify")):
        for body in BODIES:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            asker.send_raw(queue, raw, task=task, id=new_id())


def test_headers_that_nobody_wrote(office: Cluster, unharmed: None, asker: Asker) -> None:
    body = json.dumps([[messages.dial(office, "desk002")], {}, EMBED]).encode()
    for queue in (BIND, VERIFY):
        asker.send_raw(queue, body)
        for headers in HEADERS:
            asker.send_raw(queue, body, **({"task": "roost.dial", "id": new_id()} | headers))


def test_contents_that_are_not_accepted(office: Cluster, unharmed: None, asker: Asker) -> None:
    body = json.dumps([[messages.dial(office, "desk002")], {}, EMBED]).encode()
    for queue in (BIND, VERIFY):
        for content_type in CONTENT_TYPES:
            asker.send_raw(queue, body, content_type=content_type, task="roost.dial", id=new_id())


#: How a request of each kind is made.
REQUESTS: dict[str, Callable[[Cluster], messages.Message]] = {
    "roost.dial": lambda office: messages.dial(office, "desk002", "001"),
    "roost.virtualize": lambda office: messages.virtualize(office, "desk002", "001"),
    "roost.return": lambda office: messages.return_home(office, "001"),
    "roost.verify": lambda office: messages.attempt(office, "desk002", "001", "0000"),
    "roost.set_code": lambda office: messages.set_code(office, "001", "4711"),
}


@pytest.mark.parametrize("task", REQUESTS)
def test_a_request_of_another_version(office: Cluster, asker: Asker, task: str) -> None:
    """With a field less that matters it is refused; with others less, and some more, it is served."""
    message = REQUESTS[task](office)
    assert asker.ask(task, _without(message, "made_at")).outcome == "bad_request"
    other = _without(REQUESTS[task](office), "actor", "reason") | {"some_day": {"more": [1, 2]}}
    assert asker.ask(task, other).outcome != "bad_request"


def _without(message: messages.Message, *fields: str) -> messages.Message:
    return {name: value for name, value in message.items() if name not in fields}


@pytest.fixture(scope="module", autouse=True)
def _no_beat(cluster: Cluster) -> Iterator[None]:
    """Nothing but these messages is in the queues."""
    for beat in cluster.product.of_kind("beat"):
        beat.stop()
    yield
    for beat in cluster.product.of_kind("beat"):
        beat.start()


@pytest.fixture
def unharmed(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker, rabbitmq: RabbitCluster
) -> Iterator[None]:
    """Afterwards the same processes serve good requests, nobody has moved, and no message is left with a worker."""
    processes = [node.container.process.pid for node in celery_setup.worker_cluster]
    yield
    wait_until(lambda: _messages(office, rabbitmq) == 0, "every message is gone", 20)
    assert [node.container.process.pid for node in celery_setup.worker_cluster] == processes
    asker.answers.clear()
    for _ in range(40):  # more than both bind workers hold at once
        assert asker.ask("roost.dial", messages.dial(office, "desk002")).outcome == "nothing_to_return"
    wrong = messages.attempt(office, "desk002", "001", "0000")
    assert asker.ask("roost.verify", wrong).outcome == "wrong_code"
    assert office.world.guests() == {}


def _messages(office: Cluster, rabbitmq: RabbitCluster) -> int:
    """How many messages wait in the requests' queues or are with a worker."""
    vhost = urlsplit(office.product.settings.need("broker_url")).path[1:]
    return int(rabbitmq.nodes[0].eval(_COUNT.format(vhost=vhost, bind=BIND, verify=VERIFY)))
