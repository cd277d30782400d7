"""A whole running Roost, for tests that go through every process."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kombu import Connection

from localcluster.caller import Heard, call
from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from roost.database import Database
from roost.moves.requests import Virtualize
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Key
from tasks.broker import BROKER_LOST
from tasks.broker import connect as connect_broker
from tasks.client import Client
from tasks.topology import DEAD
from tests.warm import run_module
from tests.world import World, new_id


class Cluster:
    """The processes, the world behind them, and what can be done from outside.

    Nodes are registered; each test makes an organization of its own (`world.organization("0007")`) or `reset`s.
    """

    def __init__(self, product: Product) -> None:
        self.product = product
        self.database = Database(product.database_url, size=4)
        self.world = World(self.database, product.settings)
        self.client = Client(product.settings)
        self._lasting: list[str] = []
        self._broker: Connection | None = None
        for name, port in product.node_ports.items():
            self.add_node(name, port=port, secret=product.node_secret)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()
        self.client.close()
        self.database.close()

    def add_node(self, name: str, **address: object) -> None:
        """Register a node that runs as long as the cluster does; arguments as of `World.node`."""
        self.world.node(name, **address)  # type: ignore[arg-type]  # columns by name
        self._lasting.append(name)

    def reset(self) -> None:
        """Remove every organization, with its extensions and phones; the journal too, and the messages that were set aside.

        Of nodes, those of `add_node` are left, enabled: one that does not run would never be up to date.
        """
        self.world.sql("DELETE FROM organization")
        self.world.sql("DELETE FROM pbx_node WHERE name <> ALL(%s)", self._lasting)
        self.world.sql("UPDATE pbx_node SET enabled = true WHERE NOT enabled")
        # Not TRUNCATE, after which every process would plan all its statements anew.
        self.world.sql("DELETE FROM journal")
        self.world.sql("DELETE FROM call")
        self.world.codes.clear()
        self._purge(DEAD)

    def _purge(self, queue: str) -> None:
        """Empty a queue, over a connection that is kept; a test may have ended it, or the broker."""
        try:
            if self._broker is not None:
                self._broker.default_channel.queue_purge(queue)
                return
        except BROKER_LOST:
            self._hang_up()
        self._broker = connect_broker(self.product.broker_url)
        self._broker.default_channel.queue_purge(queue)

    def _hang_up(self) -> None:
        if self._broker is not None:
            self._broker.collect()  # without a goodbye, for which a frozen broker would be waited for
            self._broker = None

    def office(self, *numbers: str, nodes: Collection[str] = ("n1",)) -> Self:
        """One organization, and everybody at home: their phones are of these nodes, in turn. Whatever else there was is removed."""
        self.reset()
        self.world.organization()
        for number, node in zip(numbers, cycle(nodes), strict=False):
            self.world.desk(number, node=node)
        return self

    def call(
        self, phone: str, dialled: str, *codes: str, center: int = 0, node: str = "n1", uniqueid: str = "",
        missing: Collection[str] = (),
    ) -> Heard:  # fmt: skip
        """A call to one of the centers."""
        return call(
            self.product.centers[center], phone, dialled, codes, node=node, uniqueid=uniqueid, missing=missing
        )

    def command(self, folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own and in a folder, as a person does."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
        environment = kept | {"PYTHONPATH": self.product.import_path} | self.product.environment
        return run_module(["workers.cli.main", *arguments], environment, folder, stdin=stdin)

    def ask_to_move(self, number: str, phone: str) -> str:
        """An administrator puts an extension of organization 0001 on a phone, by way of the queues; the outcome."""
        request = Virtualize(
            request_id=new_id(), origin="api", actor="administrator", made_at=self.world.now(), organization="0001",
            phone=phone, number=number,
        )  # fmt: skip
        return self.client.call("roost.virtualize", request).outcome.value

    def node_holds(self, node: str) -> dict[Key, Change | None]:
        """All that a node holds now."""
        connection = connect(self.product.nodes[node], 5)
        try:
            return connection.dump()
        finally:
            connection.close()

    def settled(self, deadline: float = 10) -> None:
        """Wait until every node has applied all that was committed before this call."""
        wait_until(lambda: self.world.value(_ALL_APPLIED) is True, "every node has every route", deadline)


@contextmanager
def own_product(
    postgres: Postgres, rabbitmq: RabbitCluster, folder: Path, **product: Any
) -> Iterator[Product]:
    """Roost's processes, not started yet, with a database and a virtual host of their own; arguments as of `Product`."""
    name = f"cluster_{new_id()}"
    yield Product(
        folder,
        database_url=postgres.create_database(name, template="template_roost"),
        broker_url=rabbitmq.add_vhost(),
        **product,
    )
    postgres.drop_database(name)


@contextmanager
def running(
    postgres: Postgres,
    rabbitmq: RabbitCluster,
    folder: Path,
    counts: Mapping[str, int],
    *,
    nodes: tuple[str, ...] = ("n1", "n2", "n3"),
    more: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """Start Roost's processes, and simulated nodes; arguments as of `Product`."""
    with (
        own_product(postgres, rabbitmq, folder, counts=counts, simulated=nodes, more=more) as product,
        product,
        Cluster(product) as cluster,
    ):
        yield cluster


_ALL_APPLIED = """
SELECT NOT EXISTS (SELECT 1 FROM route_dirty)
   AND (SELECT bool_and(applied_version = (SELECT coalesce(max(version), 0) FROM route)) FROM pbx_node WHERE enabled)
"""


#: Seconds between two looks, at first and after a second.
_OFTEN, _SELDOM = 0.005, 0.05


def wait_until(condition: Callable[[], bool], what: str, deadline: float = 10) -> None:
    """Wait for a condition; fail when it does not come true in time.

    It is looked at every few milliseconds at first, and ever less often the longer it takes: each look costs others their time.
    """
    begun = time.monotonic()
    while not condition():
        waited = time.monotonic() - begun
        assert waited < deadline, f"not within {deadline:g} s: {what}"
        time.sleep(min(_OFTEN + waited / 20, _SELDOM))
