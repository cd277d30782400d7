"""A TCP connection to a PBX node, with TLS or without it: whatever waits for the node ends by a deadline."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from roost.errors import NodeUnavailable
from roost.pbx import tls
from roost.pbx.node import NodeAddress

#: Whoever only listens notices within half a minute that the machine at the other end is gone.
_KEEPALIVE = {socket.TCP_KEEPIDLE: 15, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}


class NodeConnection:
    """Not open at first. What waits inside `with connection.deadline():` ends within `seconds` (but a host *name* is looked up in the system resolver's own time).

    `ca` and `certificate` are those of `roost.pbx.tls.wrap`; they count where `by_tls` is true.
    """

    def __init__(
        self, address: NodeAddress, seconds: float, *, by_tls: bool, ca: str, certificate: str = ""
    ) -> None:
        self.place = f"{address.host}:{address.port}"
        self._host, self._port = address.host, address.port
        self._seconds = seconds
        self._by_tls, self._ca, self._certificate = by_tls, ca, certificate
        self._until = 0.0
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was opened, and not closed from our side."""
        return self._socket is not None

    @contextmanager
    def deadline(self, *harmless: type[Exception]) -> Iterator[None]:
        """Start the clock of one call. What fails inside closes the connection, except for `harmless` errors.

        An OSError, a TimeoutError among them, becomes NodeUnavailable, which names the node.
        """
        self._until = time.monotonic() + self._seconds
        try:
            yield
        except harmless:
            raise
        except TimeoutError as error:
            self.close()
            raise NodeUnavailable(f"{self.place} did not answer in {self._seconds:g} s.") from error
        except OSError as error:
            self.close()
            raise NodeUnavailable(f"{self.place}: {error}") from error
        except BaseException:
            self.close()
            raise

    def open(self) -> None:
        """Connect to the first of the host's addresses that answers. Raises OSError, and TlsRefused."""
        try:
            places = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise OSError("The host name is malformed.") from error
        failure = OSError("The host name has no address.")
        for family, kind, protocol, _, place in places:
            self.close()
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE.items():
                self._socket.setsockopt(socket.IPPROTO_TCP, option, value)
            try:
                self._timed().connect(place)
                if self._by_tls:
                    self._socket = tls.wrap(self._timed(), self._host, self._ca, self._certificate)
                return
            except OSError as error:
                failure = error
        raise failure

    def send(self, data: bytes) -> None:
        """Send it all. Raises OSError."""
        self._timed().sendall(data)

    def receive(self, at_most: int) -> bytes:
        """What came, up to so many bytes; nothing: the node has closed the connection. Raises OSError."""
        return self._timed().recv(at_most)

    def receive_within(self, seconds: float, at_most: int) -> bytes | None:
        """What comes, for whoever only listens; None: nothing did. Outside of deadlines. Raises NodeUnavailable, and is closed then."""
        self._until = time.monotonic() + seconds
        try:
            return self.receive(at_most)
        except TimeoutError:
            return None
        except OSError as error:
            self.close()
            raise NodeUnavailable(f"{self.place}: {error}") from error

    def went_away(self) -> bool:
        """Whether the node has closed an open connection, or says what nobody asked for."""
        assert self._socket is not None
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Close it; never raises."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _timed(self) -> socket.socket:
        """The socket, set to wait no longer than the deadline."""
        if self._socket is None:
            raise OSError("The connection is closed.")
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket
