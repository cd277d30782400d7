"""The whole cluster on this machine: PostgreSQL, RabbitMQ, Roost's processes, and three simulated nodes or two Asterisks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from demo.cast import ORGANIZATION
from demo.lamp_and_queue import LAMPS, QUEUE_NODE, QUEUES, SITE
from localcluster.asterisk_install import asterisk_program
from localcluster.phones import Phone
from localcluster.plain_phone import PlainPhone
from localcluster.postgres import Postgres
from localcluster.process import wait_until
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from localcluster.telephony import Telephony
from roost.pbx.node import NodeAddress
from roost.schema import init_database
from tasks.broker import BROKER_LOST, connect
from tasks.topology import fixed_queues

_DATABASE = "roost"
_FEATURES = Path(__file__).resolve().parents[1] / "asterisk" / "roost_features.conf.sample"
#: Each simulated node's phones, and each Asterisk's. The meeting room's phone is registered at both Asterisks.
SIMULATED = {"n1": ["johns-phone"], "n2": ["teds-extra"], "n3": ["front-desk", "meeting-room"]}
ASTERISK = {"n1": ["johns-phone", "front-desk", "meeting-room"], "n2": ["teds-extra", "meeting-room"]}
_COUNTS = {"center": 2, "verify": 1, "bind": 2, "push": 1, "beat": 1, "web": 1}

#: Seconds that RabbitMQ may take for them after its boot, on a busy machine.
_QUEUES_WITHIN = 60.0

#: Told of each part that is ready, and how many seconds it took.
Progress = Callable[[str, float], None]


class DemoCluster:
    """Start it, use it, stop it. What a failed or interrupted start leaves is killed when this process ends (guardian)."""

    def __init__(self, folder: Path, progress: Progress, *, asterisk: bool) -> None:
        self._folder = folder
        self._progress = progress
        self._asterisk = asterisk
        self._postgres = Postgres(folder / "postgres", options={"max_connections": "100", "fsync": "off"})
        self._rabbitmq = RabbitCluster(folder / "rabbitmq")
        self.started = False
        self.telephony: Telephony | None = None
        self.lines: dict[tuple[str, str], Phone] = {}
        self.product: Product

    @property
    def homes(self) -> dict[str, str]:
        """The node of each phone; one at two nodes is homed on the last."""
        layout = ASTERISK if self._asterisk else SIMULATED
        return {phone: node for node, phones in layout.items() for phone in phones}

    @property
    def addresses(self) -> dict[str, NodeAddress]:
        """How each node is reached."""
        if self.telephony is not None:
            return {name: node.control for name, node in self.telephony.nodes.items()}
        return self.product.nodes

    @property
    def centers(self) -> dict[str, str]:
        """The center that each node asks first, HOST:PORT; the nodes take turns."""
        centers = self.product.centers
        return {name: centers[place % len(centers)] for place, name in enumerate(self.addresses)}

    @property
    def center_logs(self) -> dict[str, Path]:
        """The log of the center that each node asks first."""
        logs = [process.log for process in self.product.of_kind("center")]
        return {name: logs[place % len(logs)] for place, name in enumerate(self.addresses)}

    @property
    def lamps(self) -> PlainPhone | None:
        """A phone with lamp keys, not registered; simulated nodes have no lamps."""
        return None if self.telephony is None else self.telephony.plain_phone(LAMPS)

    def sip_accounts(self) -> list[str]:
        """How each SIP phone registers, for who wants to take its place with a phone of their own."""
        return [
            f"{phone}: register as sip:{phone}@{node.address} with password {node.phones[phone].secret}"
            for node in (self.telephony.nodes.values() if self.telephony else ())
            for phone in node.phones
        ]

    def start(self) -> None:
        """Start everything, as much as possible at once. Raises ServiceFailed."""
        works: dict[str, Callable[[], object]] = {
            "PostgreSQL": self._postgres.start,
            "RabbitMQ": self._rabbitmq.start,
        }
        if self._asterisk:
            works["Asterisk (unpacked; fetched once, 290 MB)"] = asterisk_program
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
            simulated=() if self._asterisk else tuple(SIMULATED),
        )
        works = {f"Roost: {len(self.product.processes)} processes": self.product.start}
        if self._asterisk:
            works["two Asterisk nodes and their phones"] = self._start_asterisk
        self._together(works)
        self.started = True

    def stop(self) -> None:
        """End what works, then what it works with."""
        works: list[Callable[[], object]] = [process.stop for process in self.product.processes.values()]
        if self.telephony is not None:
            works.append(self.telephony.stop)
        at_once(works)
        at_once([self._postgres.stop, self._rabbitmq.stop])

    def ended(self) -> list[str]:
        """The parts that should run and do not."""
        ended = [name for name, process in self.product.processes.items() if not process.running]
        ended += ["PostgreSQL"] if not self._postgres.running else []
        ended += ["RabbitMQ"] if not self._rabbitmq.nodes[0].process.running else []
        if self.telephony is not None:
            ended += [f"Asterisk {name}" for name, node in self.telephony.nodes.items() if not node.running]
        return ended

    def _queues_are_ready(self) -> bool:
        """Declare the queues before eight processes do so at once, to a RabbitMQ that has just booted and may crash over it."""
        try:
            with connect(self._rabbitmq.urls()) as connection, connection.channel() as channel:
                for queue in fixed_queues():
                    queue(channel).declare()
        except BROKER_LOST:
            return False  # and asked again, until the deadline
        return self._rabbitmq.queues_are_led()

    def _start_asterisk(self) -> None:
        layout = {
            node: {phone: f'"{phone}" <{phone}>' for phone in phones} for node, phones in ASTERISK.items()
        }
        telephony = Telephony(
            self._folder / "asterisk",
            layout,
            plain={QUEUE_NODE: {LAMPS: f'"{LAMPS}" <{LAMPS}>'}},
            site=f'#include "{_FEATURES}"\n{SITE}',
            features={"queues.conf": QUEUES},
            dialplan_globals={"ROOST_QUEUE_NODE": QUEUE_NODE},
            endpoints=f"subscribe_context=roost-lamps-{ORGANIZATION}",
        )
        telephony.start()
        self.telephony = telephony
        first, second = self.product.centers
        for (name, node), centers in zip(
            telephony.nodes.items(), ((first, second), (second, first)), strict=True
        ):
            node.set_centers(*centers)
            for phone in ASTERISK[name]:
                if self.homes[phone] == name:
                    self.lines[name, phone] = telephony.phones[phone]
                else:
                    self.lines[name, phone] = Phone(phone, node.phones[phone].secret, node.address)
                    self.lines[name, phone].register()

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
