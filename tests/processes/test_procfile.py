"""`honcho start` in a folder that `roost setup` made: each process starts, and tells who supervises it so."""

from __future__ import annotations

import array
import os
import select
import socket
import stat
import struct
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from localcluster import ports
from localcluster.caller import call
from localcluster.postgres import Postgres
from localcluster.process import SupervisedProcess
from localcluster.rabbitmq import RabbitCluster
from tests.world import new_id
from workers.processes import PROCESSES

#: A busy machine starts six processes within it.
DEADLINE = 60.0


class Supervisor:
    """What systemd is to a process: a socket that hears what it says, and of which process it is (sd_notify(3), unix(7))."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: dict[int, set[str]] = defaultdict(set)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(path))

    def processes_that_said(self, what: str) -> set[int]:
        """Their numbers."""
        while select.select([self._socket], [], [], 0)[0]:
            said, attached, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(struct.calcsize("3i")))
            pid = array.array("i", attached[0][2])[0]
            self.heard[pid].update(said.decode().splitlines())
        return {pid for pid, said in self.heard.items() if what in said}

    def close(self) -> None:
        self._socket.close()


def test_every_process_starts_from_what_setup_wrote_and_says_when_it_serves(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path
) -> None:
    name = f"honcho_{new_id()}"
    postgres.create_database(name, template="template_roost")
    folder = tmp_path / "roost"
    subprocess.run([Path(sys.executable).with_name("roost"), "setup", folder], check=True, timeout=DEADLINE)
    center = ports.free_port()
    written = {
        "ROOST_DATABASE_URL": postgres.url(name),
        "ROOST_BROKER_URL": rabbitmq.add_vhost(),
        "ROOST_CENTER_PORT": str(center),
        "ROOST_WEB_PORT": str(ports.free_port()),
    }
    with (folder / ".env").open("a") as env:
        env.writelines(f"{variable}={value}\n" for variable, value in written.items())
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600

    supervisor = Supervisor(tmp_path / "notify")
    log = tmp_path / "honcho.log"
    honcho = SupervisedProcess(
        "honcho",
        [sys.executable, "-m", "honcho", "start", "--no-colour"],
        log=log,
        folder=folder,
        environment={
            "PATH": os.defpath,
            "PYTHONUNBUFFERED": "1",
            "LANG": "C.UTF-8",
            "NOTIFY_SOCKET": str(supervisor.path),
            "WATCHDOG_USEC": "120000000",
        },
        ready=lambda: len(supervisor.processes_that_said("READY=1")) == len(PROCESSES),
        start_deadline=DEADLINE,
    )
    with honcho:
        assert call(f"{ports.LOOPBACK}:{center}", "nobody", "*30").outcome == "unknown_phone"
        serving = supervisor.processes_that_said("READY=1")
        ends = time.monotonic() + DEADLINE
        while supervisor.processes_that_said("WATCHDOG=1") != serving:
            assert time.monotonic() < ends, supervisor.heard
            select.select([], [], [], 0.1)
    assert (
        len(supervisor.processes_that_said("STOPPING=1")) == len(PROCESSES) - 1
    )  # the beat has nothing in hand
    supervisor.close()
    assert "Traceback" not in log.read_text(errors="replace")
    postgres.drop_database(name)
