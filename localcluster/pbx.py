"""What every real PBX of the local cluster has: its process, its log, its secret, and how Roost reaches it."""

from __future__ import annotations

import secrets
import time
from abc import abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from localcluster import ports
from localcluster.process import ServiceFailed
from localcluster.service import Service
from roost.pbx.node import NodeAddress

_LONGEST_SOCKET_PATH = 107  # sockaddr_un


def loopback_addresses(names: Collection[str], used: Collection[int]) -> dict[str, str]:
    """An address for each node, 127.x.y.11 and up, on a loopback network where nobody uses these ports now."""
    network = ports.free_network(ports=tuple(used))
    return {name: f"{network}.{11 + place}" for place, name in enumerate(names)}


class Pbx(Service):
    """One node at a loopback address of its own, with a generated secret; its files stay in `folder`."""

    kind: ClassVar[str]
    #: Where Roost logs in, and its options there.
    control_port: ClassVar[int]
    options: ClassVar[dict[str, object]] = {}

    def __init__(self, name: str, address: str, folder: Path) -> None:
        self.name = name
        self.address = address
        self.folder = folder.resolve()
        self.secret = secrets.token_urlsafe(24)
        #: When it was there again the last time, on the monotonic clock.
        self.back_at = 0.0

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        super().start()
        self.back_at = time.monotonic()

    def resume(self) -> None:
        """Let it go on."""
        super().resume()
        self.back_at = time.monotonic()

    @property
    def control(self) -> NodeAddress:
        """How Roost reaches it."""
        return NodeAddress(
            self.kind, self.address, self.control_port, SecretStr(self.secret), dict(self.options)
        )

    @property
    @abstractmethod
    def log(self) -> Path:
        """What the PBX itself logs."""

    def log_size(self) -> int:
        """How long its log is, for `logged_since`."""
        return self.log.stat().st_size

    def logged_since(self, size: int) -> str:
        """What its log took after it was `size` long."""
        with self.log.open("rb") as file:
            file.seek(size)
            return file.read().decode(errors="replace")

    def _socket_path(self, path: Path) -> Path:
        """The path of its control socket. Raises ServiceFailed when the system takes none that long."""
        if len(str(path)) > _LONGEST_SOCKET_PATH:
            raise ServiceFailed(f"{path} is too long for a socket; choose a shorter folder")
        return path
