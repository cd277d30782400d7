"""RabbitMQ and PostgreSQL away in every way, at the start of every process and while it runs: each names the cause and what mends it, and goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest

from chaos.network import Flow, Network
from localcluster import ports
from localcluster.caller import call
from localcluster.postgres import Postgres
from localcluster.process import SupervisedProcess
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from roost.database import Database
from roost.grants import ROLES
from tests.cluster import wait_until
from tests.processes.test_mistakes import alarm
from tests.warm import run_module
from tests.world import World, new_id

KINDS = ("center", "bind", "verify", "push", "beat", "web")
WITH_DATABASE = ("bind", "verify", "push", "web")
#: Seconds until a process has noticed, on a busy machine.
DEADLINE = 60.0
WRONG = "another-password"


class Stage:
    """One process of each kind, whose ways to RabbitMQ and PostgreSQL can be cut; both are at first."""

    def __init__(self, postgres: Postgres, rabbitmq: RabbitCluster, folder: Path) -> None:
        self.postgres, self.rabbitmq = postgres, rabbitmq
        self.network = Network()
        self.database = f"outages_{new_id()}"
        self.own_database_url = postgres.create_database(self.database, template="template_roost")
        own_broker_url = rabbitmq.add_vhost()
        self.vhost = own_broker_url.rpartition("/")[2]
        self.product = Product(
            folder,
            database_url=self._through("postgres", self.own_database_url, postgres.port),
            broker_url=self._through("rabbitmq", own_broker_url, rabbitmq.nodes[0].port),
            counts={"web": 1},
            more={"ROOST_STAYS_EVERY": "1"},
        )
        self._read = dict.fromkeys(KINDS, 0)

    def _through(self, name: str, url: str, port: int) -> str:
        link = self.network.link(name, ports.LOOPBACK, port)
        self.network.set(Flow.NOTHING, name)
        return url.replace(f"@{ports.LOOPBACK}:{port}/", f"@{ports.LOOPBACK}:{link.port}/")

    def health(self, kind: str) -> subprocess.CompletedProcess[str]:
        """Ask for the health of a process, as a container does."""
        urls = {"ROOST_BROKER_URL": self.product.broker_url, "ROOST_DATABASE_URL": self.own_database_url}
        environment = {"PATH": os.defpath, **urls}
        return run_module(["workers.health", kind], environment, self.product.folder, timeout=DEADLINE)

    def log(self, kind: str) -> str:
        """All that a process wrote."""
        return self.product.processes[f"{kind}1"].log.read_text()

    def await_said(
        self, text: str, kinds: tuple[str, ...], *, doing: Callable[[], object] = lambda: None
    ) -> None:
        """Wait until each has written a line with this, a regular expression, since the last such wait; `doing` makes them try."""

        def silent() -> list[str]:
            doing()
            return [kind for kind in kinds if not re.search(text, self.log(kind)[self._read[kind] :])]

        try:
            wait_until(lambda: not silent(), f"{text} is said", DEADLINE)
        except AssertionError:
            for kind in silent():
                pytest.fail(f"{kind} did not say {text}:\n{self.log(kind)[self._read[kind] :]}")
        self._read = {kind: len(self.log(kind)) for kind in KINDS}

    def look(self) -> None:
        """Have each process look at PostgreSQL and RabbitMQ."""
        for port in self.product.metrics_ports:
            with urlopen(f"http://{ports.LOOPBACK}:{port}/metrics", timeout=20) as answer:
                answer.read()
        self.ready()

    def ready(self) -> dict[str, bool]:
        """What the web process says it reaches."""
        try:
            with urlopen(f"{self.product.pages[0]}/readyz", timeout=20) as answer:
                told = json.loads(answer.read())
        except HTTPError as refused:
            told = json.loads(refused.read())
        return {part: told[part]["ok"] for part in ("postgresql", "rabbitmq")}

    def end_all(self, *signals: signal.Signals) -> None:
        """End all processes at once, by these signals in turn: each ends well, and calls that no error."""

        def end(process: SupervisedProcess, by: signal.Signals) -> tuple[str, int | None]:
            process.stop_signal, process.stop_deadline = by, DEADLINE
            return process.name, process.stop()

        said = {kind: len(self.log(kind)) for kind in KINDS}
        processes = list(self.product.processes.values())
        with ThreadPoolExecutor(len(processes)) as pool:
            ended = list(pool.map(end, processes, cycle(signals)))
        assert ended == [(process.name, 0) for process in processes]
        for kind in KINDS:
            assert "[error" not in self.log(kind)[said[kind] :], self.log(kind)

    def close(self) -> None:
        """End everything."""
        self.product.stop()
        self.network.close()
        self.postgres.drop_database(self.database)


@pytest.fixture
def stage(postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(postgres, rabbitmq, tmp_path)
    yield stage
    stage.close()


@contextmanager
def another_broker_password(stage: Stage) -> Iterator[None]:
    stage.rabbitmq.set_password(WRONG)
    try:
        stage.network.drop("rabbitmq")
        yield
    finally:
        stage.rabbitmq.set_password(None)


@contextmanager
def no_virtual_host(stage: Stage) -> Iterator[None]:
    stage.rabbitmq.nodes[0].eval(f'rabbit_vhost:delete(<<"{stage.vhost}">>, <<"test">>).')
    yield
    stage.rabbitmq.make_vhosts([stage.vhost])


@contextmanager
def another_database_password(stage: Stage) -> Iterator[None]:
    roles = list(ROLES.values())
    with psycopg.connect(stage.postgres.url(), autocommit=True) as connection:
        kept = connection.execute(
            "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY (%s)", (roles,)
        ).fetchall()
        for role in roles:
            connection.execute(f"ALTER ROLE {role} PASSWORD '{WRONG}'")
        try:
            stage.network.drop("postgres")
            yield
        finally:
            for role, password in kept:
                connection.execute(f"ALTER ROLE {role} PASSWORD '{password}'")


@contextmanager
def no_database(stage: Stage) -> Iterator[None]:
    def rename(name: str, to: str) -> None:
        with psycopg.connect(stage.postgres.url(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            connection.execute(f"ALTER DATABASE {name} RENAME TO {to}")

    elsewhere = f"{stage.database}_elsewhere"
    stage.network.set(Flow.NOTHING, "postgres")
    rename(stage.database, elsewhere)
    try:
        stage.network.set(Flow.ALL, "postgres")
        yield
    finally:
        rename(elsewhere, stage.database)


@pytest.mark.timeout(400)
def test_whatever_is_away_each_process_says_in_a_line_why_and_what_mends_it_and_goes_on(stage: Stage) -> None:
    processes = stage.product.processes.values()
    for process in processes:
        process.launch()
    at_start = "database_unavailable .*doing=starting"
    wait_until(
        lambda: all(re.search(at_start, stage.log(kind)) for kind in WITH_DATABASE), at_start, DEADLINE
    )
    stage.await_said("It ended the connection: it stops just now, or another program has this port", KINDS)

    stage.network.set(Flow.ALL, "rabbitmq")
    with another_broker_password(stage):
        stage.await_said("It refuses the login: mend the user or the password", KINDS)
    with no_virtual_host(stage):
        stage.await_said("does not let this user into the virtual host: mend its name", KINDS)
    stage.await_said("broker_back", KINDS)
    with alarm(stage.rabbitmq):
        begun = time.monotonic()
        assert call(stage.product.centers[0], "desk001", "*30").outcome == "unavailable"
        assert time.monotonic() - begun < 5
        health = stage.health("beat")
        assert (health.returncode, "takes no messages" in health.stderr) == (1, True), health.stderr
        assert stage.ready()["rabbitmq"] is False

    look = partial(stage.await_said, kinds=WITH_DATABASE, doing=stage.look)
    stage.network.set(Flow.ALL, "postgres")
    with another_database_password(stage):
        look("password authentication failed.*Mend the user or the password in ROOST_DATABASE_URL")
    with no_database(stage):
        look("does not exist.*Mend the name of the database in ROOST_DATABASE_URL")

    with closing(Database(stage.own_database_url)) as database:
        world = World(database, stage.product.settings)
        world.organization()
        world.node()
        world.desk("001")
        wait_until(
            lambda: call(stage.product.centers[0], "desk001", "*30").outcome == "nothing_to_return",
            "all is well",
            DEADLINE,
        )
        wait_until(lambda: all(stage.ready().values()), "the page says so", DEADLINE)
    for process in processes:
        assert process.running, process.name
    stage.network.set(Flow.NOTHING, "postgres")
    wait_until(lambda: not stage.ready()["postgresql"], "it is away again", DEADLINE)
    stage.end_all(signal.SIGTERM, signal.SIGINT)
    stage.network.set(Flow.ALL, "postgres")
    stage.network.set(Flow.NOTHING, "rabbitmq")
    for process in processes:
        process.launch()
    stage.await_said("It ended the connection: it stops just now, or another program has this port", KINDS)
    stage.end_all(signal.SIGINT, signal.SIGTERM)
    for kind in KINDS:
        log = stage.log(kind)
        assert "Traceback" not in log, log
        assert "Deprecat" not in log, log
        assert WRONG not in log
        for url in (stage.product.broker_url, stage.own_database_url):
            assert re.findall(r":([^:@/]+)@", url)[0] not in log
