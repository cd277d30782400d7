"""Everybody in a change of shift: each calls a center from another desk and keys a code, so many at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter, deque
from collections.abc import Sequence
from uuid import uuid4

from benchmarks.world import CODE, mover
from roost.pbx import agi_client

#: Calls at the same time: enough to keep every core busy, and so few that each code is compared before its caller is sent away.
CALLS = 8 * (os.cpu_count() or 1)
#: Who hears that Roost is not available dials again, so often at most.
_TRIES = 5
#: Seconds that a center may be silent.
_SILENCE = 60.0
#: What a call ends with when its person has moved; the latter after one that was answered too late.
_MOVED = {"virtualized", "already_here"}


class Shift:
    """`people` movers, each to the first of its two phones. `first_key` is when the first code was keyed, by `time.perf_counter`."""

    def __init__(self, centers: Sequence[str], people: int) -> None:
        self._centers = [center.split(":") for center in centers]
        self._waiting = deque(range(people))
        self.first_key = 0.0
        self.outcomes: Counter[str] = Counter()

    async def run(self) -> None:
        """Until everybody has moved. Raises RuntimeError when somebody cannot."""
        async with asyncio.TaskGroup() as calls:
            for number in range(CALLS):
                calls.create_task(self._call_by_turns(*self._centers[number % len(self._centers)]))

    async def _call_by_turns(self, host: str, port: str) -> None:
        while self._waiting:
            extension, (phone, _) = mover(self._waiting.popleft())
            for _ in range(_TRIES):
                outcome = await self._call(host, int(port), phone, extension)
                self.outcomes[outcome] += 1
                if outcome in _MOVED:
                    break
            else:
                raise RuntimeError(f"{extension} came to {outcome!r}")

    async def _call(self, host: str, port: int, phone: str, extension: str) -> str:
        reader, writer = await asyncio.open_connection(host, port)
        values = {"agi_network": "yes", "agi_network_script": "center", "agi_uniqueid": uuid4().hex}
        writer.write(agi_client.environment(values, ["home", phone, f"*30{extension}"]))
        try:
            return await self._talk(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        codec, outcome = agi_client.Client(), ""
        while data := await asyncio.wait_for(reader.read(4096), _SILENCE):
            for command in codec.feed(data):
                match command.words:
                    case ("GET", "DATA", *_):
                        self.first_key = self.first_key or time.perf_counter()
                        writer.write(agi_client.reply(CODE))
                        continue
                    case ("SET", "VARIABLE", "ROOST_OUTCOME", value):
                        outcome = value
                    case _:
                        pass
                writer.write(agi_client.reply("0"))
        return outcome
