"""A process of readers: each has one connection, which it keeps, and asks for the next page when the last has come.

Jobs come in as lines of JSON. A plain asyncio protocol: a client that costs more than the server would measure itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import cycle, islice

#: Seconds until an answer must have come.
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class ReadJob:
    """`readers` ask for these in turn, each beginning elsewhere, for `seconds`. `asks`: a path and one header line each."""

    port: int
    asks: list[tuple[str, str]]
    readers: int
    seconds: float


@dataclass(slots=True)
class ReadResult:
    """Milliseconds of each answer, the bytes that came, the seconds it took, and what was no 200."""

    seconds: float = 0
    latencies: list[float] = field(default_factory=list)
    received: int = 0
    refused: list[str] = field(default_factory=list)


class _Reader(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], ends: float, result: ReadResult) -> None:
        self._requests = requests
        self._ends = ends
        self._result = result
        self._transport: asyncio.Transport | None = None
        self._heard = b""
        self._asked = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # TCP
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._heard = heard = self._heard + data
        head = heard.find(b"\r\n\r\n")
        if head < 0 or len(heard) < head + 4 + _content_length(heard[:head]):
            return
        now = time.perf_counter()
        self._result.latencies.append((now - self._asked) * 1e3)
        self._result.received += len(heard)
        if not heard.startswith(b"HTTP/1.1 200 "):
            self._result.refused.append(heard.partition(b"\r\n")[0].decode())
        self._heard = b""
        if now < self._ends:
            self._ask()
        elif self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if exc is None and time.perf_counter() >= self._ends:
            self.done.set_result(None)
        else:
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _ask(self) -> None:
        assert self._transport is not None  # asked once it is there
        self._asked = time.perf_counter()
        self._transport.write(next(self._requests))


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    if not found:
        raise ValueError("an answer without a length")
    return int(rest.partition(b"\r\n")[0])


async def read(job: ReadJob) -> ReadResult:
    """Run one job. Raises what breaks a connection."""
    result = ReadResult()
    loop = asyncio.get_running_loop()
    asks = [f"GET {path} HTTP/1.1\r\nHost: bench\r\n{line}\r\n\r\n".encode() for path, line in job.asks]
    began = time.perf_counter()
    readers = []
    for place in range(job.readers):
        requests = islice(cycle(asks), place % len(asks), None)
        make = partial(_Reader, requests, began + job.seconds, result)
        _, reader = await loop.create_connection(make, "127.0.0.1", job.port)
        readers.append(reader.done)
    await asyncio.wait_for(asyncio.gather(*readers), job.seconds + _PATIENCE)
    result.seconds = time.perf_counter() - began
    result.refused = result.refused[:10]
    return result


def main() -> None:
    """Answer each line with a line."""
    for line in sys.stdin:
        print(json.dumps(asdict(asyncio.run(read(ReadJob(**json.loads(line)))))), flush=True)


if __name__ == "__main__":
    main()
