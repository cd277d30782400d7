"""AMI as a test types it, past the codec."""

from __future__ import annotations

import socket

from localcluster.asterisk import AMI_USER
from roost.pbx.node import NodeAddress
from tests.conformance.targets import DEADLINE


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
