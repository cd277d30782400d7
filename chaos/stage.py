"""The stage: real services and every process of Roost on one machine, joined by links that can be cut.

One organization a load client shares with others; each node is a process with a store on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from chaos.network import Network
from chaos.nodes import REAL, Node, SimulatedNode
from localcluster import ports
from localcluster.postgres import Postgres, own_role
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from localcluster.rabbitmq_install import rabbitmq_program
from roost.schema import init_database

#: Several of each, so that the death of one leaves another.
COUNTS = {"center": 2, "bind": 2, "verify": 2, "push": 2, "beat": 2}
DATABASE = "roost"
#: The harness reads from PostgreSQL itself when each transaction was committed.
POSTGRES_OPTIONS = {"track_commit_timestamp": "on", "max_connections": "200", "wal_level": "replica"}


class Stage:
    """Started by `with`. `postgres` may be replaced by another server while it runs (`use_postgres`).

    `simulated` is how many simulated nodes there are, `real` how many of each kind in `chaos.nodes.REAL`; `rabbitmq_version` None is the machine's own. `more` adds ROOST_ settings.
    """

    def __init__(
        self,
        folder: Path,
        *,
        brokers: int = 1,
        rabbitmq_version: str | None = None,
        simulated: int = 3,
        real: Mapping[str, int] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.network = Network()
        self.postgres = Postgres(folder / "postgres", options=POSTGRES_OPTIONS)
        self.rabbitmq = RabbitCluster(
            folder / "rabbitmq", brokers, program=rabbitmq_program(rabbitmq_version)
        )
        self._services = ExitStack()
        self._postgres_host = 1
        self._simulated, self._real = simulated, dict(real or {})
        self._more = more
        self.nodes: dict[str, Node] = {}

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
        # Not `close`: a service that fails to stop would hide what failed before.
        self._services.__exit__(kind, error, trace)

    @property
    def database_url(self) -> str:
        """PostgreSQL as the harness reaches it: past every link."""
        return self.postgres.url(DATABASE)

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
            self.folder / "roost",
            database_url=self.database_url,
            broker_url=broker,
            counts=COUNTS,
            more=self._more,
        )
        self._start_nodes()
        for name, process in self.product.processes.items():
            environment = dict(process.environment or {})
            environment["ROOST_BROKER_URL"] = self.broker_through(
                name, environment.get("ROOST_BROKER_URL", broker)
            )
            environment["ROOST_DATABASE_URL"] = self._postgres_through(name)
            process.environment = environment
        self.door_url = self.broker_through("door", broker)
        self._services.callback(self.product.kill)
        self.product.start()

    def _start_nodes(self) -> None:
        folder = self.folder / "nodes"
        folder.mkdir()
        for number in range(1, self._simulated + 1):
            self._start_node(SimulatedNode(f"n{number}", folder, self.product.node_secret))
        for kind, count in self._real.items():
            for node in REAL[kind](count, folder) if count else ():
                self._start_node(node)

    def _start_node(self, node: Node) -> None:
        self.nodes[node.name] = node
        self._services.callback(node.process.kill)
        node.process.start()
        self.network.link(f"push-{node.name}", node.address.host, node.address.port)

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
        url = own_role(self.database_url, who.rstrip("0123456789")).replace(
            f"{ports.LOOPBACK}:{self.postgres.port}", hosts
        )
        return f"{url}?target_session_attrs=read-write"
