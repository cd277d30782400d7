"""HTTP answers as bytes in, as far as Kamailio's xhttp writes them: a status, a length, a short body. No I/O. RFC 9112."""

from __future__ import annotations

from typing import NamedTuple

#: Bytes of a head, and of a body: an answer is a string of Kamailio's, of 8,192 bytes at most.
MAX_HEAD = 8_192
MAX_BODY = 65_536


class ProtocolError(OSError):
    """What came is no answer that this Kamailio would give."""


class Answer(NamedTuple):
    """What was answered to one request."""

    status: int
    reason: str
    body: bytes


class Reader:
    """Bytes in, answers out, in order; it holds one answer at most."""

    def __init__(self) -> None:
        self._bytes = b""

    @property
    def is_amid(self) -> bool:
        """Whether a part of an answer is there."""
        return bool(self._bytes)

    def feed(self, data: bytes) -> list[Answer]:
        """Take what was received; the answers that are whole now. Raises ProtocolError."""
        self._bytes += data
        answers: list[Answer] = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        return answers

    def _next(self) -> Answer | None:
        while True:
            head, end, rest = self._bytes.partition(b"\r\n\r\n")
            if len(head) > MAX_HEAD or not (end or b"HTTP/1.1 ".startswith(head[:9])):
                raise ProtocolError("It does not speak HTTP.")
            if not end:
                return None
            start, *lines = head.decode("latin-1").split("\r\n")
            version, _, status_and_reason = start.partition(" ")
            status, _, reason = status_and_reason.partition(" ")
            if not version.startswith("HTTP/1.") or not (
                status.isascii() and status.isdigit() and len(status) == 3
            ):
                raise ProtocolError("It does not speak HTTP.")
            if status.startswith("1"):
                self._bytes = rest  # such as 100 Continue: the answer comes after it
                continue
            length = _length(lines)
            if len(rest) < length:
                return None
            self._bytes = rest[length:]
            return Answer(int(status), reason[:80], rest[:length])


def _length(lines: list[str]) -> int:
    """Bytes of the body, by these fields of the head. Raises ProtocolError for a body in chunks, and for lengths that differ."""
    fields = [(name.strip().lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]
    told = {value for name, value in fields if name == "content-length"}
    length = told.pop() if len(told) == 1 else ""
    digits = length.isascii() and length.isdigit() and len(length) <= 9
    if not digits or int(length) > MAX_BODY or any(name == "transfer-encoding" for name, _ in fields):
        raise ProtocolError("It answered with no length, or with too much.")
    return int(length)


def request(method: str, path: str, host: str, secret: str, body: bytes) -> bytes:
    """One request, with its body."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
