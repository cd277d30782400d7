"""A whole Roost to measure: its own database and virtual host, every process, nodes that can be switched on and off."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from benchmarks import world
from benchmarks.load import CallerProcesses
from localcluster.asterisk import AsteriskNode, SipPhone, node_addresses
from localcluster.kamailio import KamailioNode, kamailio_addresses
from localcluster.postgres import Postgres
from localcluster.process import SupervisedProcess
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from roost.database import query
from roost.pbx.kinds import connect
from roost.pbx.node import Cursor, NodeAddress, PbxNode
from roost.schema import init_database
from roost.version import use_functions

TOP = Path(__file__).parent.parent
#: MB of shared memory of a Kamailio that holds 200,000 rows.
_MEMORY = 384
#: As docs/operating.md has it for PostgreSQL. Megabytes of memory, of which PostgreSQL gets a quarter, up to what the largest tables take.
_OF_MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
POSTGRES = {
    "shared_buffers": f"{min(4096, _OF_MACHINE // 4)}MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}


@dataclass(frozen=True, slots=True)
class Rig:
    """One PostgreSQL and one RabbitMQ for all that is measured; both sync to disk. `standby` follows this PostgreSQL."""

    folder: Path
    postgres: Postgres
    rabbitmq: RabbitCluster
    standby: Postgres | None = None

    def messages(self) -> int:
        """Messages that clients have published to the broker so far."""
        counted = self.rabbitmq.nodes[0].eval(
            "maps:fold(fun(_, C, N) -> N + maps:get(messages_received_total, C, 0) end, 0,"
            " maps:filter(fun(L, _) -> not lists:keymember(queue_type, 1, L) end, rabbit_global_counters:overview())).",
        )  # fmt: skip
        return int(counted)


class Stage:
    """A context manager. `simulated`, `asterisk` and `kamailio` are how many nodes of each; `use` says which of them are pushed to.

    Each Asterisk has all the `phones`, and `site` in its dialplan. `bind` is a count of bind workers, `concurrency` how many binds each does at once (None: as many as it does by itself).
    """

    def __init__(
        self, rig: Rig, name: str, *, extensions: int = 1_000, simulated: int = 0, asterisk: int = 0, kamailio: int = 0, bind: int = 1,
        bind_program: str = "benchmarks.bind_worker", concurrency: int | None = None, caller_processes: int = 2,
        counts: Mapping[str, int] | None = None, phones: Sequence[SipPhone] = (), site: str = "", organizations: int = 1,
    ) -> None:  # fmt: skip
        self.rig = rig
        self.folder = rig.folder / name
        self.folder.mkdir()
        self._database = f"bench_{name}"
        self.url = rig.postgres.create_database(self._database)
        init_database(self.url)
        self.product = Product(
            self.folder,
            database_url=self.url,
            broker_url=rig.rabbitmq.add_vhost(),
            counts={**(counts or {}), "bind": 0},
            simulated=tuple(f"s{n:03}" for n in range(simulated)),
            more={"ROOST_AUDIT_EVERY": "86400"},
        )
        # What is compared with has queues and tables of its own.
        self.product.environment["ROOST_BROKER_URL"] = self.product.broker_url
        self.product.environment["ROOST_DATABASE_URL"] = self.url
        self.settings = self.product.settings
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
        self.environment = kept | {"PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1"} | self.product.environment
        for number in range(1, bind + 1):
            width = [] if concurrency is None else ["--concurrency", str(concurrency)]
            self.add_process(f"bind{number}", bind_program, *width)
        world.populate(self.url, self.settings, extensions, organizations)
        movers = extensions // 3
        #: First and last of the movers that the caller processes leave alone.
        self.own_movers = (movers - movers // 10, movers)
        self._caller_processes = caller_processes
        addresses = node_addresses(*(f"a{n}" for n in range(1, asterisk + 1))) if asterisk else {}
        self.asterisk = [
            AsteriskNode(name, address, self.folder / name, phones=phones, site=site)
            for name, address in addresses.items()
        ]
        #: Each takes calls from this machine as from another node.
        self.kamailio = [
            KamailioNode(name, address, self.folder / name, peers={"127.0.0.1": "bench"}, memory=_MEMORY)
            for name, address in (
                kamailio_addresses(*(f"k{n}" for n in range(1, kamailio + 1))) if kamailio else {}
            ).items()
        ]
        self.nodes = self._register()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for node in self.pbxes:
                stack.enter_context(node)
            if self.product.processes:
                stack.enter_context(self.product)
            self.callers = stack.enter_context(
                CallerProcesses(self.environment, self.folder, self.own_movers[0], self._caller_processes)
            )
            self.sql = stack.enter_context(psycopg.connect(self.url, autocommit=True))
            use_functions(self.sql)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
        self.rig.postgres.drop_database(self._database)

    @property
    def processes(self) -> dict[str, int]:
        """Every process tree by name."""
        ours = {name: process.pid for name, process in self.product.processes.items()}
        asterisk = {f"asterisk-{node.name}": node.pid for node in self.asterisk}
        brokers = enumerate(self.rig.rabbitmq.nodes, 1)
        beam = {
            f"rabbitmq{number}" if number > 1 else "rabbitmq": node.process.pid for number, node in brokers
        }
        standby = {"standby": self.rig.standby.pid} if self.rig.standby else {}
        return {"postgres": self.rig.postgres.pid} | standby | beam | ours | asterisk | self.callers.pids

    @property
    def pbxes(self) -> list[AsteriskNode | KamailioNode]:
        """The real nodes."""
        return [*self.asterisk, *self.kamailio]

    def connect(self, node: str) -> PbxNode:
        """A connection of our own to a node."""
        return connect(self.nodes[node], 20)

    def use(self, nodes: Iterable[str]) -> None:
        """Push to these nodes and no others; returns when they are consumed and have everything.

        A node is told that it has everything but the last change: what is measured is moves, not the first full send.
        """
        names = list(nodes)
        self.sql.execute(
            "UPDATE pbx_node SET enabled = false WHERE NOT name = ANY (%s) AND enabled", (names,)
        )
        row = self.sql.execute(query("read_head")).fetchone()
        assert row is not None  # the current database is always in pg_database
        for name in names:
            node = self.connect(name)
            node.apply([], Cursor(row[0], row[1]))
            node.close()
        self.sql.execute("UPDATE pbx_node SET enabled = true WHERE name = ANY (%s) AND NOT enabled", (names,))
        self.settle()

    def settle(self, deadline: float = 60) -> None:
        """Wait until every node that is pushed to has all that is committed."""
        wait_until(lambda: self._value(_ALL_APPLIED) is True, "every node has every route", deadline)

    def _value(self, statement: str) -> object:
        row = self.sql.execute(statement).fetchone()
        return row[0] if row else None

    def add_process(self, name: str, program: str, *arguments: str) -> None:
        """One more process, with Roost's own settings; before the stage is entered. It is ready when it says so."""
        process = SupervisedProcess(
            name, [sys.executable, "-m", program, *arguments],
            log=self.folder / f"{name}.log", folder=self.folder, environment=self.environment,
        )  # fmt: skip
        process.ready = lambda: process.wrote(" ready.")
        self.product.processes[name] = process

    def _register(self) -> dict[str, NodeAddress]:
        addresses = self.product.nodes | {node.name: node.control for node in self.pbxes}
        for name, address in addresses.items():
            world.add_node(self.url, self.settings, name, address)
        return addresses


def wait_until(condition: Callable[[], bool], what: str, deadline: float) -> None:
    """Wait for a condition; raise TimeoutError when it does not come true in time."""
    ends = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError(f"not within {deadline:g} s: {what}")
        time.sleep(0.01)


_ALL_APPLIED = """
SELECT NOT EXISTS (SELECT 1 FROM route_dirty)
   AND coalesce(bool_and(applied_version = (SELECT coalesce(max(version), 0) FROM route)), true)
FROM pbx_node WHERE enabled
"""
