"""Plays a fixed call to whoever connects, and asks nobody: what a step costs any asyncio server on this machine. Give it a port; it says `ready`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys

from localcluster import ports
from roost.pbx import agi

_COMMANDS = (
    agi.answer(),
    agi.stream_file("pbx-invalid"),
    agi.stream_file("goodbye"),
    agi.set_variable("ROOST_OUTCOME", "bare"),
)


async def _play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\n\n")
        for command in _COMMANDS:
            writer.write(command)
            await writer.drain()
            await reader.readuntil(b"\n")
    writer.close()


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_play, ports.LOOPBACK, port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    gc.freeze()
    asyncio.run(_serve(int(sys.argv[1])))
