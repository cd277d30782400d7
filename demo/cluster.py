"""The whole cluster on this machine: PostgreSQL, RabbitMQ, Roost's processes, and the PBX nodes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from demo.pbx import Pbx
from localcluster.postgres import Postgres
from localcluster.process import SupervisedProcess, wait_until
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from localcluster.warm_python import WarmPython
from roost.schema import init_database
from tasks.broker import BROKER_LOST, connect
from tasks.topology import fixed_queues

_DATABASE = "roost"
_COUNTS = {"center": 2, "verify": 1, "bind": 2, "push": 1, "beat": 1, "web": 1}

#: Seconds that RabbitMQ may take for them after its boot, on a busy machine.
_QUEUES_WITHIN = 60.0

#: Told of each part that is ready, and how many seconds it took.
Progress = Callable[[str, float], None]


class DemoCluster:
    """Start it, use it, stop it. What a failed or interrupted start leaves is killed when this process ends (guardian)."""

    def __init__(self, folder: Path, progress: Progress, pbx: Pbx) -> None:
        self._folder = folder
        self._progress = progress
        self.pbx = pbx
        self._postgres = Postgres(folder / "postgres", options={"max_connections": "100", "fsync": "off"})
        self._rabbitmq = RabbitCluster(folder / "rabbitmq")
        self.started = False
        self.product: Product

    def start(self) -> None:
        """Start everything, as much as possible at once. Raises ServiceFailed."""
        SupervisedProcess.warm_python = WarmPython()
        SupervisedProcess.warm_python.begin()
        works: dict[str, Callable[[], object]] = {
            "PostgreSQL": self._postgres.start,
            "RabbitMQ": self._rabbitmq.start,
            **self.pbx.fetch,
        }
        self._together(works)
        wait_until(self._queues_are_ready, _QUEUES_WITHIN, "RabbitMQ has the queues, and each a leader")
        self._postgres.drop_database(_DATABASE)
        url = self._postgres.create_database(_DATABASE)
        init_database(url)
        self.product = Product(
            self._folder / "roost",
            database_url=url,
            broker_url=self._rabbitmq.urls(),
            counts=_COUNTS,
            simulated=self.pbx.simulated,
        )
        works = {f"Roost: {len(self.product.processes)} processes": self.product.start}
        if self.pbx.parts:
            works[self.pbx.parts] = partial(self.pbx.start, self._folder / "pbx", self.product)
        self._together(works)
        self.started = True

    def stop(self) -> None:
        """End what works, then what it works with."""
        works: list[Callable[[], object]] = [process.stop for process in self.product.processes.values()]
        at_once([*works, self.pbx.stop])
        at_once([self._postgres.stop, self._rabbitmq.stop])

    def ended(self) -> list[str]:
        """The parts that should run and do not."""
        ended = [name for name, process in self.product.processes.items() if not process.running]
        ended += ["PostgreSQL"] if not self._postgres.running else []
        ended += ["RabbitMQ"] if not self._rabbitmq.nodes[0].process.running else []
        return ended + self.pbx.ended()

    def _queues_are_ready(self) -> bool:
        """Declare the queues before eight processes do so at once, to a RabbitMQ that has just booted and may crash over it."""
        try:
            with connect(self._rabbitmq.urls()) as connection, connection.channel() as channel:
                for queue in fixed_queues():
                    queue(channel).declare()
        except BROKER_LOST:
            return False  # and asked again, until the deadline
        return self._rabbitmq.queues_are_led()

    def _together(self, works: Mapping[str, Callable[[], object]]) -> None:
        def timed(name: str, work: Callable[[], object]) -> None:
            start = time.monotonic()
            work()
            self._progress(name, time.monotonic() - start)

        at_once([partial(timed, name, work) for name, work in works.items()])


def at_once(works: list[Callable[[], object]]) -> None:
    """Run each in a thread of its own; when all have ended, raise what the first failed one raised.

    The threads do not keep a process alive that was told to end.
    """
    failures: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
