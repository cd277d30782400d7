"""Networks that can be cut: every connection between two parts runs through a small TCP proxy of the harness.

A *cut* link ends its connections and refuses new ones; a *stalled* one takes connections and bytes, and passes
nothing on. What is stalled when its connection ends is lost, as in a real network.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from enum import Enum
from typing import Any, TypeVar

from localcluster import ports

T = TypeVar("T")
_CHUNK = 65_536
#: Seconds a call into the network's thread may take.
_DEADLINE = 10.0
#: AMQP 0-9-1, section 1.8.3: class 60, method 20 is `basic.consume`.
_CONSUME = b"\x00\x3c\x00\x14"


class Flow(Enum):
    """What a link lets through now."""

    ALL = "all"
    #: Connections end, new ones are refused.
    NOTHING = "nothing"
    #: Only what consumers send is held back: their replies pass, on another connection, their acks do not.
    NO_ACKS = "no acks"
    #: Bytes are held in both directions.
    HELD = "held"
    #: Only what the near side sends is held back.
    HELD_OUT = "held out"


class Link:
    """One proxy: listens on `port` of loopback, and passes on to `host`:`far_port`. Made by `Network`."""

    def __init__(self, name: str, host: str, far_port: int) -> None:
        self.name = name
        self.host = host
        self.far_port = far_port
        self.port = ports.free_port()
        #: How many connections were made to it so far, whether or not anything passed.
        self.accepted = 0
        self._flow = Flow.ALL
        self._changed = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, ports.LOOPBACK, self.port, backlog=256)

    async def close(self) -> None:
        """Listen no more, and end every connection."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    async def set(self, flow: Flow) -> None:
        """From now on only this passes."""
        async with self._changed:
            self._flow = flow
            self._changed.notify_all()
        if flow is Flow.NOTHING:
            await self.drop()

    async def drop(self) -> None:
        """End every connection, with what is held in them; new ones are welcome."""
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._flow is Flow.NOTHING:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None  # asyncio runs this callback in a task
        self._connections.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._join(reader, writer)
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self.host, self.far_port)

        async def outward(*, consumes: bool = False) -> None:
            def held() -> bool:
                return self._holds_outward(consumes=consumes)

            while data := await reader.read(_CHUNK):
                consumes = consumes or _CONSUME in data
                await self._pass(held)
                far_writer.write(data)
                await far_writer.drain()

        async def inward() -> None:
            while data := await far_reader.read(_CHUNK):
                await self._pass(lambda: self._flow is Flow.HELD)
                writer.write(data)
                await writer.drain()

        ways = [asyncio.ensure_future(outward()), asyncio.ensure_future(inward())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()

    def _holds_outward(self, *, consumes: bool) -> bool:
        return self._flow in {Flow.HELD, Flow.HELD_OUT} or (self._flow is Flow.NO_ACKS and consumes)

    async def _pass(self, held: Callable[[], bool]) -> None:
        if held():
            async with self._changed:
                await self._changed.wait_for(lambda: not held())


class Network:
    """All links, served by one thread. `close` ends them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()
        self.links: dict[str, Link] = {}

    def link(self, name: str, host: str, far_port: int) -> Link:
        """A new link, open."""
        link = self.links[name] = Link(name, host, far_port)
        self._do(link.open())
        return link

    def set(self, flow: Flow, *names: str) -> None:
        """Let only this pass through these links."""
        for name in names:
            self._do(self.links[name].set(flow))

    def drop(self, *names: str) -> None:
        """End the connections of these links."""
        for name in names:
            self._do(self.links[name].drop())

    def point(self, part: str, far_port: int) -> None:
        """Connect the links whose name has this part to another port from now on."""
        for name in self.names(part):
            self.links[name].far_port = far_port
            self.drop(name)

    def names(self, *parts: str) -> list[str]:
        """The links whose name has all these parts, such as `bind1` and `postgres`."""
        return [name for name in self.links if all(part in name for part in parts)]

    def close(self) -> None:
        """End everything."""
        for link in self.links.values():
            self._do(link.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_DEADLINE)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_DEADLINE)
