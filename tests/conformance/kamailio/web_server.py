"""A small web server on loopback that says what it is told to: what stands where a Kamailio should."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pydantic import SecretStr

from roost.pbx.node import NodeAddress


def ok(body: bytes) -> bytes:
    """200 with this body."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def status(line: str) -> bytes:
    """An answer such as `403 Forbidden`, without a body."""
    return f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode()


class LastWords(bytes):
    """An answer, or a part of one, behind which the connection is closed."""


class Trickle(bytes):
    """An answer that comes byte by byte."""


@dataclass
class WebServer:
    """A socket that answers each request with what `answer` gives of its first line and its body; None closes. `tls`: by TLS."""

    answer: Callable[[bytes, bytes], bytes | None]
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> NodeAddress:
        host, port = self._listener.getsockname()
        return NodeAddress("kamailio", host, port, SecretStr("secret"), {})

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed: the test is over
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                return  # whoever asks does not trust us
        with connection, connection.makefile("rb") as stream, suppress(OSError):  # whoever asks has gone
            while head := stream.readline():
                length = 0
                for line in iter(lambda: stream.readline().strip(), b""):
                    name, _, value = line.lower().partition(b":")
                    length = int(value) if name == b"content-length" else length
                body = stream.read(length)
                answer = self.answer(head, body)
                if answer is None:
                    break
                step = 1 if isinstance(answer, Trickle) else len(answer)
                for place in range(0, len(answer), step):
                    connection.sendall(answer[place : place + step])
                if isinstance(answer, LastWords):
                    break
