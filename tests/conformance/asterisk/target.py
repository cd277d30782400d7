"""Two nodes for one adapter: a real Asterisk, and the simulator of one."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from localcluster.asterisk import AsteriskNode, node_addresses
from localcluster.certificates import Authority
from localcluster.ports import LOOPBACK, free_port
from localcluster.process import SupervisedProcess
from localcluster.simulator import SIMULATES
from roost.pbx.ami.options import AmiOptions
from roost.pbx.ami.session import ActionFailed, AmiSession
from roost.pbx.asterisk import KIND
from roost.pbx.kinds import PbxKind
from roost.pbx.node import Key, NodeAddress
from tests.conformance.targets import DEADLINE, ServiceTarget


class AmiTarget:
    """What both have in common: a memory that AMI reaches."""

    kind: PbxKind[Any] = KIND
    product = "Asterisk "
    too_long = 2_000
    long_change = 100_000
    unreadable: Sequence[tuple[Key, str]] = (
        (("e", "0001*009"), "nonsense"),
        (("e", "0001*009"), ""),
        (("e", "0001*009"), "n1/a/b"),
        (("p", "x"), "a,b"),
        (("p", "x"), "%FF,,,,,,,"),
    )
    address: NodeAddress

    @property
    def wrong_logins(self) -> Sequence[NodeAddress]:
        secret = SecretStr("not the secret")
        return [
            replace(self.address, secret=secret),
            replace(self.address, secret=secret, options={"username": "nobody"}),
        ]

    def wipe(self) -> None:
        with contextlib.closing(self._session()) as session, session.deadline():
            for family in ("roost", "roosted"):
                with contextlib.suppress(ActionFailed):  # it says so when there is nothing to delete
                    session.ask("DBDelTree", {"Family": family})

    def store(self, key: Key | None, stored: str) -> None:
        self._put("roost", "cursor" if key is None else "/".join(key), stored)

    def store_what_others_keep(self) -> None:
        for family, key in (
            ("roost", "x/y"),
            ("ROOST", "e/0001*001"),
            ("roosted", "e/0001*001"),
            ("roost", "E/0001*1"),
        ):
            self._put(family, key, "n1/desk-1")

    def _put(self, family: str, key: str, value: str) -> None:
        with contextlib.closing(self._session()) as session, session.deadline():
            session.ask("DBPut", {"Family": family, "Key": key, "Val": value})

    def _session(self) -> AmiSession:
        return AmiSession(self.address, AmiOptions(), DEADLINE)


class Simulator(AmiTarget):
    """A simulator process, of one node or more; `address` is the first one's."""

    def __init__(self, folder: Path, *, faults: bool = True, nodes: int = 1) -> None:
        self.secret = SecretStr(secrets.token_urlsafe(12))
        self.ports = [free_port() for _ in range(nodes)]
        self.address = self.address_of(0)
        secret_file = folder / "secret"
        secret_file.touch(mode=0o600)
        secret_file.write_text(self.secret.get_secret_value())
        argv = [sys.executable, "-m", "simulator", "--secret-file", str(secret_file)]
        argv += [f"--node=n{number}:{port}" for number, port in enumerate(self.ports, 1)]
        argv += ["--data", str(folder / "data")] + ["--faults"] * faults
        self.log = folder / "log"
        self.process = SupervisedProcess(
            "simulator",
            argv,
            log=self.log,
            folder=Path(__file__).parents[3],
            ready=lambda: all(_accepts(LOOPBACK, port) for port in self.ports),
            start_deadline=30
            + nodes,  # each has files of its own to make, on a busy machine half a second's worth
        )

    def address_of(self, number: int) -> NodeAddress:
        return NodeAddress(SIMULATES, LOOPBACK, self.ports[number], self.secret)

    def start(self) -> None:
        self.process.start()

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> None:
        self.process.stop()


class Asterisk(AmiTarget, ServiceTarget):
    """A real Asterisk, which speaks TLS at another port besides."""

    def __init__(self, folder: Path) -> None:
        (address,) = node_addresses("n1").values()
        self.authority = Authority(folder / "authority")
        certificate = self.authority.issue("n1", address=address)
        self.service = AsteriskNode("n1", address, folder, certificate=certificate)
        self.address = self.service.control


TARGETS = {"simulator": Simulator, "asterisk": Asterisk}


def _accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
