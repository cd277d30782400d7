"""The PBX nodes that the conformance suite runs against."""

from __future__ import annotations

import secrets
import socket
import sys
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from localcluster.asterisk import AMI_USER, AsteriskNode, node_addresses
from localcluster.ports import LOOPBACK, free_port
from localcluster.process import SupervisedProcess
from localcluster.simulator import SIMULATES
from roost.pbx.node import NodeAddress

#: Seconds any call of these tests may take; none should need it.
DEADLINE = 30.0


class Target(Protocol):
    """A node that can be started, and killed with no time to save anything."""

    @property
    def address(self) -> NodeAddress: ...

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...


class Simulator:
    """A simulator process of one node."""

    def __init__(self, folder: Path, *, faults: bool = True, nodes: int = 1) -> None:
        self.secret = SecretStr(secrets.token_urlsafe(12))
        self.ports = [free_port() for _ in range(nodes)]
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
            folder=Path(__file__).parents[2],
            ready=lambda: all(accepts(LOOPBACK, port) for port in self.ports),
        )

    @property
    def address(self) -> NodeAddress:
        return self.address_of(0)

    def address_of(self, number: int) -> NodeAddress:
        return NodeAddress(SIMULATES, LOOPBACK, self.ports[number], self.secret)

    def start(self) -> None:
        self.process.start()

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> None:
        self.process.stop()


class Asterisk:
    """A real Asterisk."""

    def __init__(self, folder: Path) -> None:
        (address,) = node_addresses("n1").values()
        self._node = AsteriskNode("n1", address, folder)
        self.address = self._node.control

    def start(self) -> None:
        self._node.start()

    def kill(self) -> None:
        self._node.kill()

    def stop(self) -> None:
        self._node.stop()


def accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


class RawAmi:
    """A connection on which a test sends what it likes."""

    def __init__(self, address: NodeAddress) -> None:
        self._socket = socket.create_connection((address.host, address.port), timeout=DEADLINE)
        self._received = b""
        self.banner = self._until(b"\r\n")

    def ask(self, *lines: str) -> str:
        """Send one action; the next message that comes."""
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        return self.message()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def message(self) -> str:
        """The next message; nothing at the end of the stream."""
        return self._until(b"\r\n\r\n").decode()

    def log_in(self, address: NodeAddress) -> None:
        login = f"Username: {AMI_USER}", f"Secret: {address.secret.get_secret_value()}"
        assert "Authentication accepted" in self.ask("Action: Login", *login, "Events: off")

    def closed_by_peer(self) -> bool:
        """Wait until the peer closes the connection, or cuts it off."""
        try:
            return self.message() == ""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._socket.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            data = self._socket.recv(65_536)
            if not data:
                return b""
            self._received += data
        found, _, self._received = self._received.partition(end)
        return found
