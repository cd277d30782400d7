"""What a login at RabbitMQ is good for: what its kind of process needs, and nothing more."""

from __future__ import annotations

import shlex
import uuid
from contextlib import closing

import pytest
from amqp.exceptions import AccessRefused  # type: ignore[import-untyped]  # it ships no types
from kombu import Queue
from pydantic import SecretStr
from typer.testing import CliRunner

from localcluster.rabbitmq import RabbitCluster
from roost.moves.doors import Door
from roost.moves.outcomes import Outcome
from tasks.broker import connect
from tasks.client import Client
from tasks.doors import is_reply_queue
from tasks.permissions import PERMISSIONS
from tasks.queues import Queues
from tasks.topology import DEAD, prepare
from tests.cluster import Cluster, wait_until
from tests.processes.asking import a_move, ask, logged_in, publish, waiting
from workers.cli.main import app as command_line


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    return cluster.office("001", "002")


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
        for queue in ("bind", "verify", "announce", "dead", "push", "push.n1"):
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
@pytest.mark.parametrize("name", ["celery.pidbox", "reply.celery.pidbox", "roost.calls", "roost.desk"])
def test_nobody_but_workers_makes_or_deletes_what_workers_are_asked_by(
    office: Cluster, kind: str, name: str
) -> None:
    """With one of another type in its place no worker could start."""
    with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
        connection.default_channel.exchange_delete(name)
    with logged_in(office, kind) as connection, pytest.raises(AccessRefused):
        connection.default_channel.exchange_declare(name, "headers")


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
