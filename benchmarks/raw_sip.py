"""A caller that sends INVITEs as a peer of a Kamailio does, and waits for what its table says of the number. RFC 3261."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Self

_SECONDS = 5.0


class RawCaller:
    """Calls from 127.0.0.1; whoever is called there is registered nowhere, so the call ends as soon as it is routed."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(_SECONDS)
        self._here = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._calls = 0

    def seconds(self, user: str) -> tuple[float, int]:
        """How long it takes until a call to `user` has its final answer, and which."""
        self._calls += 1
        call = f"bench-{self._here}-{self._calls}"
        began = time.perf_counter()
        self._send("INVITE", user, call, "")
        while True:
            answer = self._socket.recv(65_535).decode()
            status = int(answer.split(" ", 2)[1])
            if f"Call-ID: {call}\r\n" in answer and status >= 200:
                took = time.perf_counter() - began
                break
        tag = next(line for line in answer.split("\r\n") if line.startswith("To:")).rpartition(";tag=")[2]
        self._send("ACK", user, call, f";tag={tag}")
        return took, status

    def _send(self, method: str, user: str, call: str, tag: str) -> None:
        host, port = self._there
        message = (
            f"{method} sip:{user}@{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {self._here};branch=z9hG4bK{call}\r\n"
            f"From: <sip:bench@{self._here}>;tag=bench\r\nTo: <sip:{user}@{host}>{tag}\r\nCall-ID: {call}\r\n"
            f"CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:bench@{self._here}>\r\nContent-Length: 0\r\n\r\n"
        )
        self._socket.sendto(message.encode(), self._there)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
