"""One HTTP connection to a Kamailio: a blocking socket, a deadline, two requests in flight.

Kamailio closes a connection that was silent for two minutes. Each call looks for that first, and connects again: what makes it
safe to go on is not the connection but the table's life (`adapter.py`).
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from roost.errors import NodeRefused, NodeUnavailable
from roost.pbx import tls
from roost.pbx.kamailio import http
from roost.pbx.kamailio.options import KamailioOptions
from roost.pbx.node import NodeAddress

#: Requests sent before the first of them is answered.
WINDOW = 2
_CHUNK = 65_536
_REMEDIES = {
    403: "It refuses the secret, or our address: compare ROOST_SECRET and ROOST_HTTP_FROM there.",
    404: "There is nothing of Roost's: include roost.cfg, and call route(ROOST_HTTP) in event_route[xhttp:request].",
}


class KamailioSession:
    """A connection. Ask inside `with session.deadline():`; all that is asked in one such block ends within `seconds`.

    Raises NodeUnavailable, also for a peer that does not speak HTTP, and NodeRefused for what somebody must mend.
    """

    def __init__(self, address: NodeAddress, options: KamailioOptions, seconds: float) -> None:
        self._address, self._options, self._seconds = address, options, seconds
        self._place = f"{address.host}:{address.port}"
        self._until = 0.0
        self._reader = http.Reader()
        self._socket: socket.socket | None = None
        self._closed = False

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """Start the clock of one call. Every failure inside names the node, and closes the connection."""
        self._until = time.monotonic() + self._seconds
        try:
            yield
        except TimeoutError as error:
            self._drop()
            raise NodeUnavailable(f"{self._place} did not answer in {self._seconds:g} s.") from error
        except OSError as error:
            self._drop()
            raise NodeUnavailable(f"{self._place}: {error}") from error
        except BaseException:
            self._drop()
            raise

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Send one request; the body of its answer."""
        answers: list[bytes] = []
        pending = [(method, path, body)]
        self.ask_many(lambda: pending.pop() if pending else None, answers.append)
        return answers[0]

    def ask_many(
        self, requests: Callable[[], tuple[str, str, bytes] | None], hear: Callable[[bytes], None]
    ) -> None:
        """Send the requests that `requests` gives until it gives None, two in flight; `hear` each answer, in their order.

        It is asked again after an answer was heard, which may have told what else to ask.
        """
        waiting: deque[str] = deque()
        self._connected()
        while True:
            while len(waiting) < WINDOW and (each := requests()) is not None:
                method, path, body = each
                secret = self._address.secret.get_secret_value()
                self._timed().sendall(http.request(method, path, self._place, secret, body))
                waiting.append(path)
            if not waiting:
                return
            for answer in self._receive(len(waiting)):
                hear(self._success(answer, waiting.popleft()))

    def close(self) -> None:
        """Close the connection for good; never raises."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._reader = http.Reader()

    def _connected(self) -> None:
        """See to it that there is a connection."""
        if self._closed:
            raise OSError("The connection is closed.")
        if self._socket is not None and self._went_away(self._socket):
            self._drop()
        if self._socket is None:
            self._connect()

    @staticmethod
    def _went_away(connection: socket.socket) -> bool:
        """Whether the other side has closed it, or says what nobody asked for."""
        connection.settimeout(0)
        try:
            connection.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            pass
        return True

    def _connect(self) -> None:
        host, port = self._address.host, self._address.port
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise OSError("The host name is malformed.") from error
        failure = OSError("The host name has no address.")
        for family, kind, protocol, _, place in places:
            self._drop()
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._timed().connect(place)
                if self._options.tls:
                    self._socket = tls.wrap(self._timed(), host, self._options.ca, self._options.certificate)
                return
            except OSError as error:
                failure = error
        raise failure

    def _timed(self) -> socket.socket:
        """The socket, set to wait no longer than the deadline."""
        if self._socket is None:
            raise OSError("The connection is closed.")
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket

    def _receive(self, at_most: int) -> list[http.Answer]:
        data = self._timed().recv(_CHUNK)
        if not data:
            amid = "in the middle of an answer" if self._reader.is_amid else "before it answered"
            raise OSError(f"It closed the connection {amid}; tcp_rd_buf_size there must be 16384 or more.")
        answers = self._reader.feed(data)
        if len(answers) > at_most:
            raise http.ProtocolError("It answered more than was asked.")
        return answers

    def _success(self, answer: http.Answer, path: str) -> bytes:
        if answer.status == 200:
            return answer.body
        if answer.status == 404 and path.startswith("/roost/page/"):
            raise OSError("A page of its table is missing.")
        if answer.status == 409:
            raise OSError("It restarted, or its table was emptied, while it was written.")
        if answer.status == 500 and answer.reason == "max_while_loops":
            raise NodeRefused(
                f"{self._place}: Its max_while_loops is less than its table has rows; set more there."
            )
        if answer.status in _REMEDIES:
            raise NodeRefused(f"{self._place}: {_REMEDIES[answer.status]}")
        raise OSError(f"It answered {answer.status} {answer.reason}.")
