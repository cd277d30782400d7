"""Roost's own processes, as the Procfile lists them, on free loopback ports, with secrets of their own."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import SecretStr

from localcluster import ports
from localcluster.postgres import own_role
from localcluster.process import SupervisedProcess
from localcluster.rabbitmq import own_user
from localcluster.simulator import SIMULATES
from localcluster.startable import Startable
from roost.grants import ROLES
from roost.pbx.node import NodeAddress
from roost.seal import new_keys
from roost.settings import Settings

_TOP = Path(__file__).parent.parent
#: All are started at once; seconds, on a busy machine.
_START_DEADLINE = 60.0
#: The keys that only some kinds of process are given, and which: `docs/security.md` has it in words.
_KEYS = {
    "ROOST_SEAL_PUBLIC_KEY": {"center", "web"},
    "ROOST_SEAL_PRIVATE_KEY": {"verify", "push"},
    "ROOST_CODE_PEPPER": {"verify"},
}
#: What a process logs when it is ready to work.
_READY = {
    "bind": " ready.",
    "verify": " ready.",
    "push": " ready.",
    "beat": "beat_ready",
    "center": "center_ready",
    "web": "web_ready",
}


class Product(Startable):
    """Named processes: `bind1`, `verify1`, `push1`, `beat1`, `center1`, `web1`, and one `simulator` of many nodes.

    `counts` says how many of each kind; `simulated` names the nodes of the simulator. `more` adds ROOST_ settings;
    `packages` are folders of packages that are installed besides.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        broker_url: str,
        counts: Mapping[str, int] | None = None,
        simulated: tuple[str, ...] = (),
        keep_simulated: bool = False,
        more: Mapping[str, str] | None = None,
        packages: Sequence[Path] = (),
    ) -> None:
        self.folder = folder
        self.import_path = os.pathsep.join(map(str, (_TOP, *packages)))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.node_secret = secrets.token_urlsafe(24)
        self.node_ports = {name: ports.free_port() for name in simulated}
        self._keep_simulated = keep_simulated
        #: With the user who may do everything, and the role that owns all.
        self.broker_url, self.database_url = broker_url, database_url
        public, private = new_keys()
        self.environment = {
            "ROOST_DATABASE_URL": own_role(database_url, "cli"),
            "ROOST_BROKER_URL": own_user(broker_url, "cli"),
            "ROOST_SEAL_PUBLIC_KEY": public,
            "ROOST_SEAL_PRIVATE_KEY": private,
            "ROOST_CODE_PEPPER": secrets.token_urlsafe(24),
            **(more or {}),
        }
        counts = {"bind": 1, "verify": 1, "push": 1, "beat": 1, "center": 1, "web": 0} | dict(counts or {})
        self.center_ports = [ports.free_port() for _ in range(counts["center"])]
        self.web_ports = [ports.free_port() for _ in range(counts["web"])]
        #: Each of our processes shows its metrics at one of these.
        wanted = max(1, sum(counts.values()))
        first = ports.free_range(wanted)
        self.metrics_ports = range(first, first + wanted)
        self.environment["ROOST_METRICS_PORTS"] = f"{self.metrics_ports[0]}-{self.metrics_ports[-1]}"
        self.processes: dict[str, SupervisedProcess] = {}
        if simulated:
            self.processes["simulator"] = self._simulator()
        for kind, count in counts.items():
            for number in range(1, count + 1):
                self.processes[f"{kind}{number}"] = self._worker(kind, number)

    @property
    def settings(self) -> Settings:
        """The settings of all processes; at RabbitMQ and PostgreSQL each kind has a user of its own, and these are the command line's."""
        names = {name.removeprefix("ROOST_").lower(): value for name, value in self.environment.items()}
        return Settings.model_validate(names)

    @property
    def nodes(self) -> dict[str, NodeAddress]:
        """How each simulated node is reached, by name."""
        secret = SecretStr(self.node_secret)
        return {
            name: NodeAddress(SIMULATES, ports.LOOPBACK, port, secret)
            for name, port in self.node_ports.items()
        }

    @property
    def centers(self) -> list[str]:
        """HOST:PORT of each center."""
        return [f"{ports.LOOPBACK}:{port}" for port in self.center_ports]

    @property
    def pages(self) -> list[str]:
        """The address of each web process."""
        return [f"http://{ports.LOOPBACK}:{port}" for port in self.web_ports]

    def start(self) -> None:
        """Start all at once, and wait until each is ready."""
        try:
            for process in self.processes.values():
                process.launch()
            for process in self.processes.values():
                process.await_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """SIGTERM to all, the front doors first, then all the others at once; each drains."""
        doors = [*self.of_kind("center"), *self.of_kind("web")]
        others = [process for process in self.processes.values() if process not in doors]
        with ThreadPoolExecutor(len(self.processes)) as pool:
            for wave in (doors, others):
                list(pool.map(SupervisedProcess.stop, wave))

    def kill(self) -> None:
        """SIGKILL to all."""
        for process in self.processes.values():
            process.kill()

    def of_kind(self, kind: str) -> Iterator[SupervisedProcess]:
        """The processes of one kind."""
        return (process for name, process in self.processes.items() if name.rstrip("0123456789") == kind)

    def _worker(self, kind: str, number: int) -> SupervisedProcess:
        environment = {
            name: value for name, value in self.environment.items() if kind in _KEYS.get(name, {kind})
        } | {"ROOST_BROKER_URL": own_user(self.broker_url, kind)}
        if kind in ROLES:
            environment["ROOST_DATABASE_URL"] = own_role(self.database_url, kind)
        else:
            del environment["ROOST_DATABASE_URL"]
        if kind == "center":
            environment["ROOST_CENTER_PORT"] = str(self.center_ports[number - 1])
        if kind == "web":
            environment["ROOST_WEB_PORT"] = str(self.web_ports[number - 1])
        return self._process(f"{kind}{number}", [f"workers.{kind}"], environment, _READY[kind])

    def _simulator(self) -> SupervisedProcess:
        secret_file = self.folder / "simulator-secret"
        secret_file.touch(mode=0o600)
        secret_file.write_text(self.node_secret)
        argv = ["simulator", "--secret-file", str(secret_file), "--faults"]
        if self._keep_simulated:
            argv += ["--data", str(self.folder / "simulated")]
        for name, port in self.node_ports.items():
            argv += ["--node", f"{name}:{port}"]
        return self._process("simulator", argv, {}, f"{list(self.node_ports)[-1]} ready")

    def _process(
        self, name: str, argv: list[str], environment: Mapping[str, str], ready: str
    ) -> SupervisedProcess:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ROOST_")}
        process = SupervisedProcess(
            name,
            [sys.executable, "-m", *argv],
            log=self.folder / f"{name}.log",
            # A folder of its own keeps a `.env` of the checkout out; the checkout is imported by path.
            folder=self.folder,
            start_deadline=_START_DEADLINE,
            environment=kept | {"PYTHONPATH": self.import_path, "PYTHONUNBUFFERED": "1"} | dict(environment),
        )
        process.ready = lambda: process.wrote(ready)
        return process
