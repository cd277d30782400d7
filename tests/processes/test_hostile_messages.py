"""What a message to a worker may ask for, whatever it says of itself, and however large it is."""

from __future__ import annotations

import json
import uuid
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from amqp.exceptions import PreconditionFailed  # type: ignore[import-untyped]  # it ships no types
from celery.worker.control import Panel

from roost.moves.outcomes import Outcome
from tasks.presence import mailbox
from tasks.topology import DEAD, queue_of
from tests.cluster import Cluster, wait_until
from tests.processes.asking import a_code, a_move, ask, logged_in, publish, waiting


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    return cluster.office("001", "002")


def test_a_center_can_ask_only_what_a_call_can(office: Cluster) -> None:
    before = office.world.journal()
    with logged_in(office, "center") as center:
        for key in ("bind", "verify"):
            for origin in ("cli", "call", "system"):
                assert ask(center, "calls", key, "roost.virtualize", a_move(origin)) is Outcome.BAD_REQUEST
            home = a_move("api") | {"phone": None}
            assert ask(center, "calls", key, "roost.return", home) is Outcome.BAD_REQUEST
            assert ask(center, "calls", key, "roost.set_code", a_code(office)) is Outcome.BAD_REQUEST
        dialled = a_move("call") | {"call": "n1/1", "phone": "desk002"}
        assert ask(center, "calls", "bind", "roost.dial", dialled) is Outcome.CODE_NEEDED
    assert office.world.journal() == before


@pytest.mark.parametrize("queue", ["bind", "verify"])
def test_nothing_that_a_message_says_of_itself_or_asks_for_afterwards_is_believed(
    office: Cluster, queue: str
) -> None:
    """Celery would publish what is to follow with the worker's own rights, and take its word for the exchange it came by."""

    def then(task: str, message: dict[str, object]) -> dict[str, object]:
        options = {"exchange": "", "routing_key": queue_of(task)}
        return {"task": task, "args": [message], "kwargs": {}, "options": options, "immutable": True}

    move, code = (
        then("roost.virtualize", a_move("cli")),
        then("roost.set_code", a_code(office)),
    )
    of_001 = "SELECT code_hash FROM extension WHERE number = '001'"
    before = office.world.value(of_001)
    good, bad = uuid.uuid4().hex, {"request_id": "x"}
    with logged_in(office, "center") as center:
        for task, message in (
            ("roost.clock", good),
            ("roost.dial", bad),
            ("roost.verify", bad),
            ("roost.push", 1),
        ):
            for follows in (
                {"callbacks": [move]},
                {"callbacks": [move, code]},
                {"errbacks": [move]},
                {"chain": [code, move]},
                {"chord": code},
            ):
                publish(center, "roost.calls", queue, task, message, follows)
        for says in ({"exchange": ""}, {}, None):
            more = {"delivery_info": says}
            publish(center, "roost.calls", queue, "roost.virtualize", a_move("cli"), more)
            publish(center, "roost.calls", queue, "roost.set_code", a_code(office), more)
    wait_until(lambda: waiting(office, DEAD) == 26, "all of them are set aside")
    assert office.world.guests() == {}
    assert office.world.value(of_001) == before


def test_a_desk_can_ask_what_people_can_and_nothing_as_the_system(office: Cluster) -> None:
    with logged_in(office, "web") as web:
        assert ask(web, "desk", "bind", "roost.virtualize", a_move("system")) is Outcome.BAD_REQUEST
        assert ask(web, "desk", "bind", "roost.virtualize", a_move("web")) is Outcome.VIRTUALIZED
        assert ask(web, "desk", "verify", "roost.set_code", a_code(office)) is Outcome.CODE_SET


@pytest.mark.parametrize("kind", ["center", "web"])
@pytest.mark.parametrize("task", ["roost.push", "roost.announce", "roost.end_stays"])
def test_only_workers_can_ask_for_what_workers_do(office: Cluster, kind: str, task: str) -> None:
    door = {"center": "calls", "web": "desk"}[kind]
    with logged_in(office, kind) as connection:
        publish(connection, f"roost.{door}", "bind", task, "n1")
    logs = office.product.processes["bind1"].log, office.product.processes["bind2"].log

    def is_refused() -> bool:
        lines = [line for log in logs for line in log.read_text().splitlines()]
        return any(all(word in line for word in ("task_refused", door, task)) for line in lines)

    wait_until(is_refused, "it is refused, and logged")


def test_what_is_huge_or_unpacks_itself_harms_no_worker(office: Cluster) -> None:
    """A megabyte is more than anybody asks; and what a header says is packed, kombu would unpack before anybody looks at it."""
    workers = [psutil.Process(each.pid) for each in office.product.of_kind("bind")]
    logs = [each.log for each in office.product.of_kind("bind")]
    packer = zlib.compressobj(9)
    bomb = b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(150)), packer.flush()])
    with logged_in(office, "center") as center, pytest.raises(PreconditionFailed):
        publish(center, "roost.calls", "bind", "roost.clock", "x" * 1_100_000)
    before = [most_memory(worker) for worker in workers]
    with logged_in(office, "center") as center:
        for _ in range(4):
            center.Producer(auto_declare=False).publish(
                bomb, exchange="roost.calls", routing_key="bind", content_type="application/json", content_encoding="utf-8",
                headers={"task": "roost.clock", "id": "x", "compression": "gzip"},
            )  # fmt: skip
        wait_until(
            lambda: sum(log.read_text().count("nobody packs what they ask") for log in logs) >= 4,
            "each is refused",
        )
        dialled = a_move("call") | {"call": "n1/1", "number": ""}
        assert ask(center, "calls", "bind", "roost.dial", dialled) is Outcome.NOTHING_TO_RETURN
    for worker, at_most in zip(workers, before, strict=True):
        assert most_memory(worker) < at_most + 50_000


def most_memory(process: psutil.Process) -> int:
    """The most that it ever had; kB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


#: What a broadcast that Celery knows is sent with, so that it would be obeyed.
BROADCASTS = {name: {} for name in Panel.data} | {
    "add_consumer": {"queue": "dead"},
    "autoscale": {"max": 0, "min": 0},
    "cancel_consumer": {"queue": "bind"},
    "election": {"id": "1", "topic": "2", "action": "3"},
    "hello": {"from_node": "somebody@elsewhere"},
    "objgraph": {"num": 1},
    "pool_grow": {"n": 1},
    "pool_shrink": {"n": 10},
    "query_task": {"ids": ["1"]},
    "rate_limit": {"task_name": "roost.virtualize", "rate_limit": "1/h"},
    "revoke": {"task_id": "1"},
    "revoke_by_stamped_headers": {"headers": {"1": "1"}},
    "terminate": {"signal": "KILL", "task_id": "1"},
    "time_limit": {"task_name": "roost.virtualize", "hard": 1, "soft": 1},
}
#: They tell what a worker does and how it is.
READING = {"ping", "active", "active_queues", "registered", "reserved", "scheduled", "stats"}


@pytest.mark.parametrize("kind", ["web", "bind"])
def test_a_broadcast_changes_no_worker_and_shows_no_setting(office: Cluster, kind: str) -> None:
    """Celery would obey all of these, whoever sends them; who may not broadcast at all is tried above."""
    assert len(BROADCASTS) > 25
    workers = sum(1 for each in ("bind", "verify", "push") for _ in office.product.of_kind(each))
    with logged_in(office, kind) as somebody:
        for method, arguments in BROADCASTS.items():
            if method not in READING:
                mailbox(somebody).abcast(method, arguments)
        for method in ("conf", "report", "revoked"):
            for each in mailbox(somebody).multi_call(method, timeout=10, limit=workers):
                assert [list(answer) for answer in each.values()] == [["error"]], method
        read = {method: mailbox(somebody).multi_call(method, timeout=10, limit=workers) for method in READING}
    assert all(read.values())
    told = json.dumps(read)
    password = urlsplit(office.product.broker_url).password
    assert password
    for secret in (password, *map(office.product.settings.need, ("code_pepper", "seal_private_key"))):
        assert secret not in told
    bind = [
        queues for each in read["active_queues"] for name, queues in each.items() if name.startswith("bind")
    ]
    assert [[queue["name"] for queue in queues] for queues in bind] == [["bind"]] * len(
        list(office.product.of_kind("bind"))
    )
    for process in office.product.processes.values():
        assert process.running
    with logged_in(office, "web") as web:
        home = a_move("web") | {"phone": None}
        assert ask(web, "desk", "bind", "roost.return", home) is Outcome.NOTHING_TO_RETURN
