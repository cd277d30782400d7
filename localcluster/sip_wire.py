"""Where a plain phone's messages come in and go out, and what it answers when a request is sent again. It knows of no call."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

from localcluster.phones import PhoneFailed
from localcluster.sip import SipMessage, session

_ENDS_WITHIN = 10.0
#: A datagram of these bytes alone is no message: it keeps a NAT's binding alive (RFC 5626, 4.4.1; Kamailio's nathelper sends zeros).
_KEEPALIVE = b"\0\r\n \t"


class SipWire:
    """A UDP port for messages to and from one registrar (an address, of IPv6 in brackets), and one for speech, which is not heard."""

    def __init__(self, name: str, registrar: str, port: int) -> None:
        self._name = name
        self._registrar = (registrar.strip("[]"), port)
        #: Held while a message is heard; it is notified of each.
        self.news = threading.Condition()
        #: The last answer to each request, by its Via and CSeq.
        self._replied: dict[tuple[str, str], SipMessage] = {}
        family, here = (socket.AF_INET6, "::1") if ":" in registrar else (socket.AF_INET, "127.0.0.1")
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((here, 0))
        self._media = socket.socket(family, socket.SOCK_DGRAM)
        self._media.bind((here, 0))
        self._listens = True
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """HOST:PORT of its messages."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def session(self) -> str:
        """The body that offers speech (SDP)."""
        return session(*self._media.getsockname()[:2])

    def listen(self, hear: Callable[[SipMessage], None]) -> None:
        """Hand each message that comes in to `hear`, in a thread of its own, until `drop`."""
        self._thread = threading.Thread(target=self._listen, args=[hear], name=f"plain phone {self._name}")
        self._thread.start()

    def wait(self, condition: Callable[[], bool], deadline: float, what: str) -> None:
        """Wait until a message made `condition` true; PhoneFailed when none does within `deadline` seconds."""
        with self.news:
            if not self.news.wait_for(condition, deadline):
                raise PhoneFailed(f"{self._name} did not see {what} within {deadline:g} s")

    def put(self, message: SipMessage) -> None:
        """Send a message to the registrar, once."""
        self._socket.sendto(message.encode(), self._registrar)

    def reply(
        self, request: SipMessage, status: str, more: Sequence[tuple[str, str]] = (), body: str = ""
    ) -> None:
        """Answer a request; the answer is kept for when it is sent again."""
        reply = request.reply(status, self._name, more, body)
        self._replied[request["Via"], request["CSeq"]] = reply
        self.put(reply)

    def replied_again(self, request: SipMessage) -> bool:
        """Whether it is one that was sent again, since our answer came late (RFC 3261, 17.2): then that is said again."""
        said = self._replied.get((request["Via"], request["CSeq"]))
        if said is not None:
            self.put(said)
        return said is not None

    def drop(self) -> None:
        """Let the ports go, and say nothing to anybody."""
        self._listens = False
        self._socket.sendto(b"", self._socket.getsockname())  # wakes the listener
        if self._thread is not None:
            self._thread.join(_ENDS_WITHIN)
        self._socket.close()
        self._media.close()

    def _listen(self, hear: Callable[[SipMessage], None]) -> None:
        while self._listens:
            data = self._socket.recv(65_535)
            if not data.strip(_KEEPALIVE):
                continue
            message = SipMessage.parse(data)
            with self.news:
                hear(message)
                self.news.notify_all()
