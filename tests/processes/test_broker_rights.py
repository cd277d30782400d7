"""What a login at RabbitMQ is good for: what its kind of process needs, and nothing more."""

from __future__ import annotations

import json
import shlex
import uuid
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from amqp.exceptions import AccessRefused, PreconditionFailed  # type: ignore[import-untyped]  # it ships no types
from celery.worker.control import Panel
from kombu import Connection, Queue
from pydantic import SecretStr
from typer.testing import CliRunner

from localcluster.rabbitmq import RabbitCluster, own_user
from roost.moves.doors import Door
from roost.moves.outcomes import Outcome
from roost.seal import seal
from tasks.broker import connect
from tasks.client import Client
from tasks.doors import is_reply_queue
from tasks.permissions import PERMISSIONS
from tasks.presence import mailbox
from tasks.queues import Queues
from tasks.topology import DEAD, prepare, queue_of
from tests.cluster import Cluster, wait_until
from workers.cli.main import app as command_line


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    return cluster.office("001", "002")


@contextmanager
def logged_in(office: Cluster, kind: str) -> Iterator[Connection]:
    """A connection as one kind of process has it, on which each message is confirmed."""
    with connect(own_user(office.product.broker_url, kind), confirm_publish=True) as connection:
        yield connection


def publish(
    connection: Connection,
    exchange: str,
    key: str,
    task: str,
    message: object,
    follows: object = None,
    **more: Any,
) -> None:
    headers = {"task": task, "id": str(uuid.uuid4()), "lang": "py"}
    connection.Producer(auto_declare=False).publish(
        [[message], {}, follows or {}],
        exchange=exchange,
        routing_key=key,
        serializer="json",
        headers=headers,
        **more,
    )


def ask(connection: Connection, door: str, key: str, task: str, message: dict[str, object]) -> Outcome:
    """Ask by a door by hand; the outcome that comes back."""
    name = f"reply.{door}.{uuid.uuid4().hex}"
    heard: list[Any] = []
    replies = Queue(name, durable=False, exclusive=True, auto_delete=True)
    with connection.Consumer(
        [replies], callbacks=[lambda body, _: heard.append(body)], accept=["json"], no_ack=True
    ):
        publish(connection, f"roost.{door}", key, task, message, reply_to=name)
        connection.drain_events(timeout=20)
    body = json.loads(heard[0]) if isinstance(heard[0], str) else heard[0]
    return Outcome(body["outcome"])


def a_move(origin: str) -> dict[str, object]:
    return {
        "request_id": uuid.uuid4().hex, "origin": origin, "actor": "root", "made_at": datetime.now(UTC).isoformat(),
        "organization": "0001", "number": "001", "phone": "desk002",
    }  # fmt: skip


def a_code(office: Cluster) -> dict[str, object]:
    """Whoever has the public key can seal a code: every center does."""
    request_id = uuid.uuid4().hex
    sealed = seal(office.product.settings.need("seal_public_key"), request_id, "4711")
    return {
        "request_id": request_id, "origin": "cli", "made_at": datetime.now(UTC).isoformat(),
        "organization": "0001", "number": "001", "sealed_code": sealed,
    }  # fmt: skip


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


def waiting(office: Cluster, queue: str) -> int:
    """Messages that wait in a queue; those that a worker has are not counted."""
    with connect(office.product.broker_url) as connection:
        return int(connection.default_channel.queue_declare(queue, passive=True).message_count)


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


@pytest.mark.parametrize(
    ("kind", "exchange", "key"),
    [
        ("center", "", "bind"),
        ("center", "", "push.n1"),
        ("center", "roost.desk", "bind"),
        ("center", "celery.pidbox", ""),
        ("center", "amq.fanout", ""),
        ("web", "", "push.n1"),
        ("web", "", "bind"),
        ("web", "roost.calls", "bind"),
        ("web", "amq.direct", "bind"),
    ],
)
def test_nobody_publishes_where_others_do(office: Cluster, kind: str, exchange: str, key: str) -> None:
    with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
        publish(connection, exchange, key, "roost.virtualize", a_move("cli"))


@pytest.mark.parametrize("kind", ["center", "web"])
def test_nobody_but_workers_writes_to_a_reply_queue_or_reads_a_queue(office: Cluster, kind: str) -> None:
    name = f"reply.desk.{uuid.uuid4().hex}"
    with logged_in(office, "cli") as somebody:
        Queue(name, durable=False, exclusive=True, auto_delete=True)(somebody.channel()).declare()
        with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
            publish(connection, "", name, "an answer", {})
        for queue in ("bind", "verify", "announce", "dead", "push.n1"):
            with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
                connection.channel().basic_get(queue)
            with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
                connection.channel().queue_purge(queue)
            with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
                connection.channel().queue_delete(queue)
            with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
                connection.channel().queue_bind(
                    queue, f"roost.{'calls' if kind == 'center' else 'desk'}", "mine"
                )


@pytest.mark.parametrize("kind", ["center", "web"])
def test_no_answer_is_sent_to_a_queue_that_somebody_works_on(office: Cluster, kind: str) -> None:
    """Whoever asks names where the answer goes; a worker, who may write anywhere, does not send it just anywhere."""
    door = "calls" if kind == "center" else "desk"
    places = (
        DEAD,
        "push.n1",
        "announce",
        "verify",
        f"reply.{door}.x",
        f" reply.{door}.{'0f' * 16}",
        "x" * 255,
    )
    logs = [process.log for process in office.product.processes.values()]
    sizes = [log.stat().st_size for log in logs]
    with logged_in(office, kind) as connection:
        for name in places:
            publish(connection, f"roost.{door}", "bind", "roost.clock", uuid.uuid4().hex, reply_to=name)
            dialled = a_move("call") | {"call": "n1/1", "number": ""}
            publish(connection, f"roost.{door}", "bind", "roost.dial", dialled, reply_to=name)
        wait_until(lambda: len(office.world.journal()) == len(places), "each is done")
        assert ask(connection, door, "bind", "roost.dial", dialled) is Outcome.NOTHING_TO_RETURN
    assert waiting(office, DEAD) == 0
    for log, size in zip(logs, sizes, strict=True):
        assert b"message_unreadable" not in log.read_bytes()[size:]


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


@pytest.mark.parametrize(("kind", "own"), [("center", "reply.calls.mine"), ("web", "reply.desk.mine")])
def test_a_queue_of_ones_own_passes_nothing_on(office: Cluster, kind: str, own: str) -> None:
    """What expires in a queue is published anew by RabbitMQ itself; who declares it must have the right to publish there."""
    for target in (
        "",
        "roost.desk" if kind == "center" else "roost.calls",
        "celery.pidbox" if kind == "center" else "amq.direct",
    ):
        passing = {"x-dead-letter-exchange": target, "x-dead-letter-routing-key": "bind", "x-message-ttl": 0}
        with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
            connection.channel().queue_declare(own, exclusive=True, arguments=passing)
    for source in ("roost.calls", "roost.desk", "amq.direct"):
        with logged_in(office, kind) as connection:
            connection.default_channel.queue_declare(own, exclusive=True)
            with pytest.raises(AccessRefused):
                connection.default_channel.queue_bind(own, source, "bind")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("reply.desk." + "0f" * 16, True),
        ("reply.calls." + "0f" * 16, True),
        ("reply." + "0f" * 16, True),  # of release 0.1.0
        ("bind", False),
        ("push.n1", False),
        ("reply.celery.pidbox", False),
        ("reply.work." + "0f" * 16, False),
        ("reply.desk." + "0f" * 16 + "\n", False),
    ],
)
def test_an_answer_goes_to_a_reply_queue_only(name: str, is_one: bool) -> None:  # noqa: FBT001
    assert is_reply_queue(name) is is_one


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


def test_the_commands_for_rabbitmq_give_the_rights_that_these_tests_run_with() -> None:
    """The processes of the tests have the same permissions, so all other tests show that they are enough."""
    printed = CliRunner().invoke(command_line, ["broker", "setup", "--vhost", "a b"]).stdout
    words = [shlex.split(line) for line in printed.splitlines() if "set_permissions" in line]
    assert words == [
        ["rabbitmqctl", "set_permissions", "-p", "a b", user, *may] for user, may in PERMISSIONS.items()
    ]


def test_a_login_that_is_good_for_everything_is_known(office: Cluster) -> None:
    own = office.product.settings
    shared = own.model_copy(update={"broker_url": SecretStr(office.product.broker_url)})
    for settings, is_shared in ((own, False), (shared, True)):
        with closing(Queues(settings)) as queues:
            assert queues.shares_a_login() is is_shared


def test_what_is_asked_before_any_worker_was_there_is_kept_for_it(
    office: Cluster, rabbitmq: RabbitCluster
) -> None:
    """As where the first host of a new release holds a center, and those of the old one know no exchange."""
    empty = rabbitmq.add_vhost()
    settings = office.product.settings.model_copy(update={"broker_url": SecretStr(empty)})
    with Client(settings, Door.CALLS) as client, connect(empty) as connection:
        client.ask_time(deadline=20)
        channel = connection.channel()

        def waits() -> bool:
            return bool(channel.queue_declare("bind", passive=True).message_count)

        prepare(connection, Door.CALLS)
        wait_until(waits, "the question waits in the queue", 20)
