"""One FastAGI connection: commands out, replies in, and the caller's hanging up noticed while anything is awaited."""

from __future__ import annotations

import asyncio

from roost.pbx import agi
from roost.pbx.agi import Environment, HungUp, ProtocolError, Reply, Server

#: Bytes read at once.
CHUNK = 4096
#: A peer that says nothing at first is cut off after so many seconds.
ENVIRONMENT_DEADLINE = 5.0
#: The longest a single command may take: the longest prompt, and the time to key digits.
COMMAND_DEADLINE = 60.0
#: Seconds until a peer that takes no bytes is cut off.
WRITE_DEADLINE = 5.0


class CallEnded(Exception):
    """The caller hung up, or the connection is gone."""


class Channel:
    """The connection as a question-and-answer stream. `read` runs beside whoever uses `command`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._codec = Server()
        self._replies: asyncio.Queue[Reply] = asyncio.Queue(maxsize=8)
        self._environment: asyncio.Future[Environment] = asyncio.get_running_loop().create_future()

    async def read(self) -> None:
        """Read until the call ends. Raises ProtocolError."""
        while data := await self._reader.read(CHUNK):
            for event in self._codec.feed(data):
                match event:
                    case Environment():
                        self._environment.set_result(event)
                    case Reply():
                        if self._replies.full():
                            raise ProtocolError("It answers what was not asked.")
                        self._replies.put_nowait(event)
                    case HungUp():
                        return
        self._codec.end()

    async def environment(self) -> Environment:
        """What Asterisk says of the call. Raises TimeoutError."""
        async with asyncio.timeout(ENVIRONMENT_DEADLINE):
            return await self._environment

    async def command(self, line: bytes) -> Reply:
        """Send one command and await its reply. Raises CallEnded, ProtocolError, TimeoutError."""
        self._writer.write(line)
        async with asyncio.timeout(WRITE_DEADLINE):
            await self._writer.drain()
        async with asyncio.timeout(COMMAND_DEADLINE):
            reply = await self._replies.get()
        if reply.channel_gone:
            raise CallEnded
        if reply.code != 200:
            raise ProtocolError(f"It answers {reply.code}.")
        return reply

    async def play(self, line: bytes) -> Reply | None:
        """Send a command that plays a recording; None when that failed on a call that goes on. Raises what `command` does.

        Asterisk answers -1 for a recording that is missing, as it does when the caller hung up; the state of the channel tells.
        """
        try:
            return await self.command(line)
        except CallEnded:
            await self.command(agi.channel_status())
            return None
