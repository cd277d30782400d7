"""AMI as raw as it gets: the ceiling of what any adapter could do, and a watcher that costs a node next to nothing."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Sequence

from roost.pbx.node import NodeAddress

_SECONDS = 60.0
_ANSWER = b"Response: "
_ENTRY = re.compile(rb"\r\nKey: ([^\r]*)\r\nVal: ([^\r]*)\r\n")


class RawAmi:
    """A logged-in AMI connection without any checks."""

    def __init__(self, address: NodeAddress) -> None:
        self.socket = socket.create_connection((address.host, address.port), timeout=_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ask(b"Action: Challenge\r\nAuthType: MD5\r\n\r\n")
        found = re.search(rb"Challenge: (\S+)", self._last)
        assert found is not None  # AMI answers Challenge with one
        key = hashlib.md5(
            found[1] + address.secret.get_secret_value().encode(), usedforsecurity=False
        ).hexdigest()
        login = f"Action: Login\r\nAuthType: MD5\r\nUsername: {address.options.get('username', 'roost')}\r\nKey: {key}\r\nEvents: off\r\n\r\n"
        self._ask(login.encode())
        if b"Success" not in self._last:
            raise ConnectionError("AMI refused the login")

    def _ask(self, action: bytes) -> None:
        self.socket.sendall(action)
        self._last = b""
        while not self._last.endswith(b"\r\n\r\n"):
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionError("AMI closed the connection")
            self._last += data

    def put_all(self, pairs: Sequence[tuple[str, str]]) -> int:
        """DBPut every (key, value) of the family `bench`: one prebuilt buffer out, answers only counted.

        Returns how many succeeded.
        """
        out = b"".join(
            [
                f"Action: DBPut\r\nFamily: bench\r\nKey: {key}\r\nVal: {value}\r\n\r\n".encode()
                for key, value in pairs
            ]
        )
        return self.exchange(out, len(pairs))

    def exchange(self, out: bytes, answers: int) -> int:
        """Send a buffer from a thread while counting successes here, until `answers` came."""
        sender = threading.Thread(target=self.socket.sendall, args=(out,), daemon=True)
        sender.start()
        seen = successes = 0
        rest = b""
        while seen < answers:
            data = self.socket.recv(1 << 20)
            if not data:
                raise ConnectionError("AMI closed the connection")
            whole, cut, end = (rest + data).rpartition(b"\r\n\r\n")
            rest = end
            if cut:
                whole += cut
                seen += whole.count(_ANSWER)
                successes += whole.count(b"Response: Success")
        sender.join(timeout=5)
        return successes

    def send_gets(self, keys: Sequence[str]) -> None:
        """Ask for keys of the family `roost`, such as `e/0001*001`; `read_gets` reads the answers."""
        self.socket.sendall(
            b"".join(f"Action: DBGet\r\nFamily: roost\r\nKey: {key}\r\n\r\n".encode() for key in keys)
        )

    def read_gets(self, count: int) -> dict[str, str]:
        """What was found of so many keys asked for."""
        heard = b""
        while heard.count(b"Event: DBGetComplete") + heard.count(
            b"Response: Error"
        ) < count or not heard.endswith(b"\r\n\r\n"):
            data = self.socket.recv(65_536)
            if not data:
                raise ConnectionError("AMI closed the connection")
            heard += data
        return {key.decode(): value.decode() for key, value in _ENTRY.findall(heard)}

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()
