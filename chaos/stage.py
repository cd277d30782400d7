"""The stage: real services and every process of Roost on one machine, joined by links that can be cut.

One organization a load client shares with others; each simulated node is a process with a store on disk.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from chaos.network import Network
from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.process import SupervisedProcess
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from roost.pbx import connect
from roost.pbx.node import Change, Cursor, Key, NodeAddress
from roost.schema import init_database

_TOP = Path(__file__).parent.parent
#: Several of each, so that the death of one leaves another.
COUNTS = {"center": 2, "bind": 2, "verify": 2, "push": 2, "beat": 2}
DATABASE = "roost"
_NODE_DEADLINE = 5.0
#: The harness reads from PostgreSQL itself when each transaction was committed.
POSTGRES_OPTIONS = {"track_commit_timestamp": "on", "max_connections": "200", "wal_level": "replica"}


class SimulatedNode:
    """One simulated PBX: a process, its port, its store, and the link the push workers reach it by."""

    def __init__(self, name: str, folder: Path, secret_file: Path) -> None:
        self.name = name
        self.port = ports.free_port()
        self.store = folder / f"{name}.sqlite"
        self._secret = secret_file
        self.process = SupervisedProcess(
            name,
            [
                sys.executable, "-m", "workers.simulator", "--secret-file", str(secret_file), "--faults",
                "--data", str(folder), "--node", f"{name}:{self.port}",
            ],
            log=folder / f"{name}.log", folder=_TOP, ready=lambda: self.process.wrote(f"{name} ready"),
        )  # fmt: skip

    def holds(self) -> tuple[Cursor | None, dict[Key, Change | None]]:
        """Its cursor, and then its whole table. Raises NodeUnavailable."""
        secret = SecretStr(self._secret.read_text())
        node = connect("asterisk", NodeAddress(ports.LOOPBACK, self.port, "roost", secret), _NODE_DEADLINE)
        try:
            return node.cursor(), node.dump()
        finally:
            node.close()


class Stage:
    """Started by `with`. `postgres` may be replaced by another server while it runs (`use_postgres`)."""

    def __init__(self, folder: Path, *, brokers: int = 1, nodes: int = 3) -> None:
        self.folder = folder
        self.network = Network()
        self.postgres = Postgres(folder / "postgres", options=POSTGRES_OPTIONS)
        self.rabbitmq = RabbitCluster(folder / "rabbitmq", brokers)
        self._services = ExitStack()
        self._postgres_host = 1
        self._node_count = nodes
        self.nodes: dict[str, SimulatedNode] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._services.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._services.close()

    @property
    def database_url(self) -> str:
        """PostgreSQL as the harness reaches it: past every link."""
        return self.postgres.url(DATABASE)

    def process(self, name: str) -> SupervisedProcess:
        """One process of Roost, or one node."""
        return self.nodes[name].process if name in self.nodes else self.product.processes[name]

    @property
    def spare_postgres(self) -> str:
        """The ending of the links to PostgreSQL that lead nowhere now: the other host of the multi-host URLs."""
        return "postgres2" if self._postgres_host == 1 else "postgres1"

    def use_postgres(self, server: Postgres) -> None:
        """From now on this server is the primary, at the other host of the multi-host URLs."""
        self.network.point(self.spare_postgres, server.port)
        self._postgres_host = 3 - self._postgres_host
        self.network.drop(*self.network.names("-postgres"))
        self.postgres = server

    def keep(self, server: Postgres) -> None:
        """Stop this server at the end."""
        self._services.callback(server.stop)

    def finally_(self, work: Callable[[], None]) -> None:
        """Do this at the end, after all that is begun later."""
        self._services.callback(work)

    def _start(self) -> None:
        self._services.callback(self.network.close)
        self.keep(self.postgres)
        self.postgres.start()
        self.postgres.create_database(DATABASE)
        init_database(self.database_url)
        self._services.enter_context(self.rabbitmq)
        broker = self.rabbitmq.add_vhost()
        self.vhost = urlsplit(broker.split(";")[0]).path.removeprefix("/")
        self.product = Product(
            self.folder / "roost", database_url=self.database_url, broker_url=broker, counts=COUNTS
        )
        self._start_nodes()
        for name, process in self.product.processes.items():
            environment = dict(process.environment or {})
            environment["ROOST_BROKER_URL"] = self.broker_through(name, broker)
            environment["ROOST_DATABASE_URL"] = self._postgres_through(name)
            process.environment = environment
        self.door_url = self.broker_through("door", broker)
        self._services.callback(self.product.kill)
        self.product.start()

    def _start_nodes(self) -> None:
        folder = self.folder / "nodes"
        folder.mkdir()
        secret_file = folder / "secret"
        secret_file.touch(mode=0o600)
        secret_file.write_text(self.product.node_secret)
        for number in range(1, self._node_count + 1):
            node = SimulatedNode(f"n{number}", folder, secret_file)
            self.nodes[node.name] = self._services.enter_context(_Running(node)).node
            self.network.link(f"push-{node.name}", ports.LOOPBACK, node.port)

    def broker_through(self, who: str, urls: str) -> str:
        """The broker's URLs for one process, each through a link of its own."""
        through = []
        for number, url in enumerate(urls.split(";"), 1):
            port = urlsplit(url).port
            assert port is not None  # ours always name it
            link = self.network.link(f"{who}-broker{number}", ports.LOOPBACK, port)
            through.append(url.replace(f":{port}/", f":{link.port}/"))
        return ";".join(through)

    def _postgres_through(self, who: str) -> str:
        """A URL of two hosts, each through a link; the second leads nowhere until there is another server."""
        first = self.network.link(f"{who}-postgres1", ports.LOOPBACK, self.postgres.port)
        second = self.network.link(f"{who}-postgres2", ports.LOOPBACK, ports.free_port())
        hosts = f"{ports.LOOPBACK}:{first.port},{ports.LOOPBACK}:{second.port}"
        url = self.database_url.replace(f"{ports.LOOPBACK}:{self.postgres.port}", hosts)
        return f"{url}?target_session_attrs=read-write"


class _Running:
    """Starts a node, and kills whatever runs of it in the end."""

    def __init__(self, node: SimulatedNode) -> None:
        self.node = node

    def __enter__(self) -> Self:
        self.node.process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.node.process.kill()
