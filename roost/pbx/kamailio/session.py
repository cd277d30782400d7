"""One HTTP connection to a Kamailio: a blocking socket, a deadline, two requests in flight.

Kamailio closes a connection that was silent for two minutes. Each call looks for that first, and connects again: what makes it
safe to go on is not the connection but the table's life (`adapter.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from roost.errors import NodeRefused
from roost.pbx.connection import NodeConnection
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
        self._secret = address.secret
        self._connection = NodeConnection(
            address, seconds, by_tls=options.tls, ca=options.ca, certificate=options.certificate
        )
        self._reader = http.Reader()
        self._closed = False

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """Start the clock of one call. Every failure inside names the node, and closes the connection."""
        with self._connection.deadline():
            yield

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
                secret = self._secret.get_secret_value()
                self._connection.send(http.request(method, path, self._connection.place, secret, body))
                waiting.append(path)
            if not waiting:
                return
            for answer in self._receive(len(waiting)):
                hear(self._success(answer, waiting.popleft()))

    def close(self) -> None:
        """Close the connection for good; never raises."""
        self._closed = True
        self._connection.close()

    def _connected(self) -> None:
        """See to it that there is a connection."""
        if self._closed:
            raise OSError("The connection is closed.")
        if self._connection.is_open and self._connection.went_away():
            self._connection.close()
        if not self._connection.is_open:
            self._reader = http.Reader()
            self._connection.open()

    def _receive(self, at_most: int) -> list[http.Answer]:
        data = self._connection.receive(_CHUNK)
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
                f"{self._connection.place}: Its max_while_loops is less than its table has rows; set more there."
            )
        if answer.status in _REMEDIES:
            raise NodeRefused(f"{self._connection.place}: {_REMEDIES[answer.status]}")
        raise OSError(f"It answered {answer.status} {answer.reason}.")
