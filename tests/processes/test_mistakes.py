"""Mistakes that operators make: each command says in one line what is wrong and what mends it, and ends with the right code."""

from __future__ import annotations

import json
import os
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from roost.seal import new_keys
from roost.settings import Settings
from tests.cli.command import Ended, runner
from tests.cluster import wait_until
from tests.warm import run_module
from tests.world import new_id

#: No command takes longer to say what is wrong; seconds, on a busy machine.
DEADLINE = 25.0
SECRET = "hunter2-in-a-url"


@dataclass(frozen=True)
class Mistake:
    """What is run, with which settings (None: not set), and what must come of it. `{…}` is filled in by the test."""

    argv: str
    says: str
    exit_code: int
    environment: Mapping[str, str | None] = field(default_factory=dict)
    #: What `.env` holds; None: it is there, and cannot be read.
    env: bytes | None = b""
    #: Whether it says more than the one line.
    says_more: bool = False


DATABASE, BROKER, PUBLIC = "ROOST_DATABASE_URL", "ROOST_BROKER_URL", "ROOST_SEAL_PUBLIC_KEY"
AWAY = {DATABASE: f"postgresql://roost:{SECRET}@127.0.0.1:1/roost"}
NO_PASSWORD = {DATABASE: "{database_with_wrong_password}"}
NO_DATABASE = {DATABASE: "{missing_database}"}
EMPTY = {DATABASE: "{empty_database}"}
BROKER_AWAY = {BROKER: f"amqp://roost:{SECRET}@127.0.0.1:1/"}
BROKER_PASSWORD = {BROKER: "{broker_with_wrong_password}"}
BROKER_VHOST = {BROKER: "{missing_vhost}"}
NO_BROKER_HOST = {BROKER: f"amqp://roost:{SECRET}@no-such-host.invalid/"}
REDIS = {BROKER: f"redis://:{SECRET}@127.0.0.1/0"}
NO_URL = {DATABASE: f"roost:{SECRET}@127.0.0.1/roost"}
TLS_SERVER = f"postgresql://roost:{SECRET}@127.0.0.1:{{tls_server}}/roost?sslmode=verify-full"
JSON: dict[str, str | None] = {"ROOST_LOG_FORMAT": "json"}


def not_started(kind: str, why: str) -> str:
    """What a process says in JSON that does not start."""
    return f'"event": "cannot_start".*"kind": "{kind}".*{why} in the environment or in /'


MISTAKES = {
    "an .env of another account": Mistake("roost org list", r"/\.env cannot be read: .*Run this as the account", 7, env=None),
    "an .env that is no text": Mistake("roost org list", r"/\.env is no UTF-8 text", 7, env=b"\xff\xfe"),
    "bind with an .env of another account": Mistake("workers.bind", r"bind: .*/\.env cannot be read", 2, env=None),
    "a line of .env that is no setting": Mistake("workers.bind", r"bind: .*/\.env, line 1, is no setting: write NAME=VALUE", 2, env=b"ROOST_WEB_PORT 80\n"),
    "doctor on a setting that is mistyped": Mistake("roost doctor", "ROOST_DATABSE_URL .* is no setting.*Perhaps ROOST_DATABASE_URL", 7, env=b"ROOST_DATABSE_URL=x\n"),
    "a mistyped setting in place of one that is needed": Mistake("roost org list", r"Set ROOST_DATABASE_URL .* \(ROOST_DATABSE_URL, which is set, is no setting\.\)", 7, {DATABASE: None, "ROOST_DATABSE_URL": "x"}),
    "a center with a mistyped setting": Mistake("workers.center", "no_such_setting .*perhaps=ROOST_CENTER_ALLOW setting=ROOST_CENTER_ALOW where='the environment'", 2, {PUBLIC: None, "ROOST_CENTER_ALOW": "10.0.0.0/8"}, says_more=True),
    "a process that does not exist": Mistake("roost run bindd", "'bindd' is not one of", 2),
    "a name like an option": Mistake("roost node show -n1", r"No such option: -n\. A name that begins with a dash stands behind ` -- `\. See `roost node show --help`\. \[usage\]", 2),
    "an option that is mistyped": Mistake("roost --json", "No such option: --json.*See `roost --help`", 2),
    "a command that is mistyped": Mistake("roost org lst", r"No such command 'lst'\. Did you mean 'list'.*See `roost org --help`", 2),
    "an argument that is missing": Mistake("roost node show", "Missing argument 'NODE'. See `roost node show --help`", 2),
    "an export to a file that is there": Mistake("roost export .env", r"is there already; name another", 2, env=b"#\n"),
    "an export to a folder that is not there": Mistake("roost export nowhere/x.csv", r"nowhere/x\.csv: No such file or directory", 7),
    "a setup for an account that cannot be": Mistake("roost setup kit --user Ann;x", "account.*must be", 2),
    "threads for what has none": Mistake("roost run beat --concurrency 2", "--concurrency is for bind and verify", 2),
    "too many threads": Mistake("workers.bind --concurrency 99", "roost run bind: error: argument --concurrency: invalid choice", 2),
    "a folder that systemd could not read": Mistake("roost setup with;semicolon", "Take another folder than", 2),
    "no database URL": Mistake("roost org list", r"Set ROOST_DATABASE_URL .* or in .*/\.env, a file that is not there", 7, {DATABASE: None}),
    "a database URL that is none": Mistake("roost org list", r"ROOST_DATABASE_URL must begin with postgresql://", 7, NO_URL),
    "a database URL with a bad option": Mistake(
        "roost org list", "ROOST_DATABASE_URL is not of the form", 7, {DATABASE: "postgresql://127.0.0.1/roost?nonsense=1"}
    ),
    "an @ in the database's password": Mistake("roost org list", "ROOST_DATABASE_URL must be USER:PASSWORD@HOST.*@ as %40", 7, {DATABASE: f"postgresql://roost:{SECRET}@{SECRET}@127.0.0.1/roost"}),
    "a slash in the database's password": Mistake("workers.bind", "bind: .*ROOST_DATABASE_URL must be .*/ as %2F", 2, {DATABASE: f"postgresql://roost:{SECRET}/{SECRET}@127.0.0.1/roost"}),
    "a slash in the broker's password": Mistake("workers.beat", "beat: .*ROOST_BROKER_URL must be .*/ as %2F", 2, {BROKER: f"amqp://roost:{SECRET}/{SECRET}@127.0.0.1/"}),
    "a URL in quotes that nobody took away": Mistake("roost doctor", "must begin with postgresql:// .*, without quotes", 7, {DATABASE: f'"postgresql://roost:{SECRET}@127.0.0.1/roost"'}),
    "no PostgreSQL": Mistake("roost org list", "PostgreSQL is not reachable now.*refused", 6, AWAY),
    "a wrong database password": Mistake("roost where 0001*001", "PostgreSQL is not reachable now.*password authentication failed", 6, NO_PASSWORD),
    "a database that does not exist": Mistake("roost status", 'PostgreSQL is not reachable now.*"nowhere" does not exist', 6, NO_DATABASE),
    "a database without Roost": Mistake("roost org list", "There is no Roost in the database.*roost db init", 6, EMPTY),
    "doctor on a database without Roost": Mistake("roost doctor", "There is no Roost in the database", 7, EMPTY),
    "health on a database without Roost": Mistake("workers.health bind", "bind: There is no Roost in the database", 1, EMPTY),
    "db init without a PostgreSQL": Mistake("roost db init", "PostgreSQL is not reachable now", 6, AWAY),
    "no broker URL": Mistake("roost return 0001*001", "Set ROOST_BROKER_URL", 7, {BROKER: None}),
    "another kind of broker": Mistake("roost return 0001*001", "ROOST_BROKER_URL must begin with amqp://", 7, REDIS),
    "no worker": Mistake("roost return 0001*001", "every worker behind it, did not answer in time. `roost doctor` says which", 6, {"ROOST_ANSWER_DEADLINE": "1"}),
    "a file of certificates for PostgreSQL that is not there": Mistake("roost org list", r'root certificate file "/tmp/none.pem" does not exist\) Mend its name .*sslrootcert=.*a unit of systemd sees nothing of /tmp', 6, {DATABASE: f"{TLS_SERVER}&sslrootcert=/tmp/none.pem"}),
    "a file of certificates for PostgreSQL that is none": Mistake("roost org list", "no certificate or crl found.* Name a file in PEM", 6, {DATABASE: f"{TLS_SERVER}&sslrootcert=/dev/null"}),
    "a file of certificates for RabbitMQ that is not there": Mistake("roost return 0001*001", r"ROOST_BROKER_CA cannot be read \(/tmp/none.pem: No such file or directory\): mend its name, or put it beside .env", 6, {BROKER: f"amqps://roost:{SECRET}@127.0.0.1:1/", "ROOST_BROKER_CA": "/tmp/none.pem"}),
    "no RabbitMQ": Mistake("roost return 0001*001", "RabbitMQ.*Nothing listens", 6, BROKER_AWAY),
    "a broker host that is unknown": Mistake("roost return 0001*001", "RabbitMQ.*host name .* not known", 6, NO_BROKER_HOST),
    "a broker URL of another service": Mistake("roost return 0001*001", "RabbitMQ.*another program has this port; RabbitMQ.s is 5672", 6, {BROKER: "amqp://roost@127.0.0.1:{web_server}/"}),
    "a wrong broker password": Mistake("roost return 0001*001", "RabbitMQ.*refuses the login", 6, BROKER_PASSWORD),
    "a virtual host that does not exist": Mistake("roost return 0001*001", "RabbitMQ.*virtual host", 6, BROKER_VHOST),
    "doctor with a wrong broker password": Mistake("roost doctor", "refuses the login", 7, BROKER_PASSWORD),
    "doctor without the virtual host": Mistake("roost doctor", "virtual host", 7, BROKER_VHOST),
    "doctor without a database URL": Mistake("roost doctor", "Set ROOST_DATABASE_URL in the environment or in /.*a file that is not there", 7, {DATABASE: None}),
    "doctor with both away": Mistake("roost doctor", "Nothing listens", 7, AWAY | BROKER_AWAY),
    "doctor with a database URL that is none": Mistake("roost doctor", "ROOST_DATABASE_URL must begin", 7, NO_URL),
    "a phone at a node that is mistyped": Mistake("roost phone add desk --node typo", r"no such node.*typo", 4),
    "a bad extension": Mistake("roost code set 0001-001", "written as `0001\\*001`", 2),
    "a bad option": Mistake("roost org list --limit many", "valid integer", 2),
    "a file that is not there": Mistake("roost import nowhere.csv", "cannot be read: No such file", 2),
    "bind without a database URL": Mistake("workers.bind", not_started("bind", "Set ROOST_DATABASE_URL"), 2, JSON | {DATABASE: None}),
    "bind with a database URL that is none": Mistake("workers.bind", "bind: .*ROOST_DATABASE_URL must begin", 2, NO_URL),
    "bind with another kind of broker": Mistake("workers.bind", "bind: .*ROOST_BROKER_URL must begin", 2, REDIS),
    "verify without a pepper": Mistake("workers.verify", not_started("verify", "Set ROOST_CODE_PEPPER"), 2, JSON | {"ROOST_CODE_PEPPER": None}),
    "push without a private key": Mistake("workers.push", not_started("push", "Set ROOST_SEAL_PRIVATE_KEY"), 2, JSON | {"ROOST_SEAL_PRIVATE_KEY": None}),
    "beat without a broker": Mistake("workers.beat", not_started("beat", "Set ROOST_BROKER_URL"), 2, JSON | {BROKER: None}),
    "center without a key": Mistake("workers.center", not_started("center", "Set ROOST_SEAL_PUBLIC_KEY"), 2, JSON | {PUBLIC: None}),
    "web without a key": Mistake("workers.web", not_started("web", "Set ROOST_SEAL_PUBLIC_KEY"), 2, JSON | {PUBLIC: None}),
    "a center's port in use": Mistake("workers.center", "center: cannot listen at 127.0.0.1:{taken}: .*in use", 1, {"ROOST_CENTER_PORT": "{taken}"}),
    "the page's port in use": Mistake("workers.web", "web: cannot listen at 127.0.0.1:{taken}: .*in use", 1, {"ROOST_WEB_PORT": "{taken}"}),
    "a center at a host that is unknown": Mistake("workers.center", "center: cannot listen at no-such-host.invalid:4573: this host name is not known here", 1, {"ROOST_CENTER_HOST": "no-such-host.invalid"}),
    "the page at an address of another machine": Mistake("workers.web", "web: cannot listen at 203.0.113.9:8080: Cannot assign requested address", 1, {"ROOST_WEB_HOST": "203.0.113.9"}),
    "health with a wrong broker password": Mistake("workers.health bind", "bind: .*refuses the login", 1, BROKER_PASSWORD),
    "health without the virtual host": Mistake("workers.health beat", "beat: .*virtual host", 1, BROKER_VHOST),
    "health with no RabbitMQ": Mistake("workers.health verify", "verify: .*Nothing listens", 1, BROKER_AWAY),
}  # fmt: skip


#: Of these commands a usage error, or what they find, takes several lines.
_MORE_LINES = (
    "roost doctor",
    "workers.bind --concurrency",
)


class _SomeWebServer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(8)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture(scope="module")
def web_server() -> Iterator[int]:
    """The port of something that speaks another language than AMQP."""
    with socketserver.ThreadingTCPServer((ports.LOOPBACK, 0), _SomeWebServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class _SomeTlsServer(socketserver.BaseRequestHandler):
    """As a PostgreSQL with TLS begins: the client looks at its own files then."""

    def handle(self) -> None:
        self.request.recv(8)
        self.request.sendall(b"S")
        self.request.recv(1)


@pytest.fixture(scope="module")
def tls_server() -> Iterator[int]:
    """Its port."""
    with socketserver.ThreadingTCPServer((ports.LOOPBACK, 0), _SomeTlsServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def broker_url(rabbitmq: RabbitCluster) -> str:
    """A virtual host of these tests."""
    return rabbitmq.add_vhost()


@pytest.fixture(scope="module")
def database_of_nobody(postgres: Postgres) -> Iterator[str]:
    """A Roost with nothing in it; no mistake changes that."""
    name = f"mistakes_{new_id()}"
    yield postgres.create_database(name, template="template_roost")
    postgres.drop_database(name)


@pytest.fixture
def environment(database_of_nobody: str, broker_url: str) -> dict[str, str]:
    """Settings with which all is well."""
    public, private = new_keys()
    return {
        DATABASE: database_of_nobody,
        BROKER: broker_url,
        PUBLIC: public,
        "ROOST_SEAL_PRIVATE_KEY": private,
        "ROOST_CODE_PEPPER": new_id(),
    }


def run(argv: str, environment: Mapping[str, str], folder: Path) -> Ended:
    """Run a command with this environment, in an empty folder: `roost` in this process, others in one of their own."""
    program, *arguments = argv.split()
    if program == "roost":
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            for name in Settings.model_fields:
                patch.delenv(f"ROOST_{name.upper()}", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            return next(runner())(*arguments)
    ended = run_module([program, *arguments], {"PATH": os.defpath, **environment}, folder, timeout=DEADLINE)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_in_one_line(
    mistake: Mistake,
    environment: dict[str, str],
    taken_port: int,
    web_server: int,
    tls_server: int,
    postgres: Postgres,
    tmp_path: Path,
) -> None:
    database, broker = environment[DATABASE], environment[BROKER]
    values = {
        "taken": str(taken_port),
        "web_server": str(web_server),
        "tls_server": str(tls_server),
        "database_with_wrong_password": re.sub(r"://(\w+)(:[^@]*)?@", rf"://\1:{SECRET}@", database),
        "missing_database": postgres.url("nowhere"),
        "empty_database": postgres.url("template1"),
        "broker_with_wrong_password": re.sub(r":[^:@/]+@", f":{SECRET}@", broker),
        "missing_vhost": broker.rpartition("/")[0] + "/nowhere",
    }
    for name, value in mistake.environment.items():
        if value is None:
            del environment[name]
        else:
            environment[name] = value.format(**values)
    env = tmp_path / ".env"
    if mistake.env is None:
        env.symlink_to("/proc/self/mem")  # opens, and cannot be read, by root neither
    elif mistake.env:
        env.write_bytes(mistake.env)
    ended = run(mistake.argv, environment, tmp_path)
    printed = ended.out + ended.err
    assert "Traceback" not in printed
    assert SECRET not in printed
    assert re.search(mistake.says.replace("{taken}", str(taken_port)), " ".join(printed.split())), printed
    assert ended.exit_code == mistake.exit_code, printed
    if "ROOST_LOG_FORMAT" in mistake.environment:
        json.loads(ended.err)
    if not (mistake.says_more or mistake.argv.startswith(_MORE_LINES)):
        assert len(ended.err.splitlines()) == 1, printed


#: What `rabbitmqctl set_vm_memory_high_watermark` and `set_disk_free_limit` run, and the values with and without an alarm.
ALARMS = {
    "memory": ("vm_memory_monitor:set_vm_memory_high_watermark({}).", "0.0", "0.6"),
    "disk": ("rabbit_disk_monitor:set_disk_free_limit({}).", "1000000000000000", "1000000"),
}


@contextmanager
def alarm(rabbitmq: RabbitCluster, of: str = "memory") -> Iterator[None]:
    """RabbitMQ's alarm of memory or disk: it answers questions, and takes no messages."""
    command, some, none = ALARMS[of]
    _set(rabbitmq, command.format(some), alarms=True)
    try:
        yield
    finally:
        _set(rabbitmq, command.format(none), alarms=False)


def _set(rabbitmq: RabbitCluster, command: str, *, alarms: bool) -> None:
    """Set a limit. Some versions of RabbitMQ look at it only when they look at it anyway, seconds later."""
    (node,) = rabbitmq.nodes
    node.eval(command)
    wait_until(
        lambda: (node.eval("length(rabbit_alarm:get_alarms()).") != "0") is alarms, "RabbitMQ has noticed", 20
    )


@pytest.mark.parametrize("limit", ["max-connections", "max-queues"])
def test_a_limit_of_the_virtual_host_is_named_as_that(
    environment: dict[str, str], rabbitmq: RabbitCluster, tmp_path: Path, limit: str
) -> None:
    environment |= {BROKER: rabbitmq.add_vhost(), "ROOST_ANSWER_DEADLINE": "1.5"}
    vhost = environment[BROKER].rpartition("/")[2]
    rabbitmq.nodes[0].eval(f'rabbit_vhost_limit:set(<<"{vhost}">>, [{{<<"{limit}">>, 0}}], <<"test">>).')
    ended = run("roost return 0001*001", environment, tmp_path)
    assert ended.exit_code == 6
    assert "A limit of the virtual host or of this user is reached: raise it" in ended.err


@pytest.mark.parametrize("of", ALARMS)
def test_a_broker_that_takes_no_messages_is_named_as_that(
    environment: dict[str, str], rabbitmq: RabbitCluster, tmp_path: Path, of: str
) -> None:
    environment["ROOST_ANSWER_DEADLINE"] = "1.5"
    with alarm(rabbitmq, of):
        found = run("roost doctor", environment, tmp_path)
        assert "takes no messages" in " ".join(found.out.split())
        assert found.exit_code == 7
        begun = time.monotonic()
        ended = run("roost return 0001*001", environment, tmp_path)
        assert ended.exit_code == 6, ended.err
        assert time.monotonic() - begun < 10
    assert "takes no messages" not in run("roost doctor", environment, tmp_path).out
