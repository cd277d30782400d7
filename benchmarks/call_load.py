"""A process of calls to one center, as Asterisk makes them: people who listen, think, key nothing, and are dropped.

One in two dials what does not exist: a question to the workers; ANSWER; two prompts, held open; the outcome. The others
are asked three times for a code, each held open, and each a try that costs the workers no hashing; then the prompts.
Times are taken from what we say to what the center says next.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from random import Random
from uuid import uuid4

from benchmarks.world import mover
from roost.pbx import agi_client


@dataclass(frozen=True, slots=True)
class CallJob:
    """`calls` at once for `seconds`, each pause `hold` seconds on average; `ramp` seconds pass first, unmeasured."""

    host: str
    port: int
    calls: int
    hold: float
    ramp: float
    seconds: float
    first: int
    last: int


@dataclass(slots=True)
class CallResult:
    """Milliseconds of the center's own steps and of those with a question to the workers; fewest calls at once."""

    own: list[float] = field(default_factory=list)
    asking: list[float] = field(default_factory=list)
    fewest: int = 0
    finished: int = 0
    broken: int = 0
    outcomes: list[str] = field(default_factory=list)


class Calls:
    """Keeps so many calls in progress."""

    def __init__(self, job: CallJob) -> None:
        self._job = job
        self._result = CallResult(fewest=job.calls)
        self._measuring = False
        self._in_progress = 0
        self._random = Random(1)

    async def run(self) -> CallResult:
        """Ramp up, measure, hang up."""
        job = self._job
        tasks = [asyncio.create_task(self._keep_calling(n)) for n in range(job.calls)]
        await asyncio.sleep(job.ramp)
        self._measuring = True
        ends = time.monotonic() + job.seconds
        while time.monotonic() < ends:
            await asyncio.sleep(0.1)
            self._result.fewest = min(self._result.fewest, self._in_progress)
        self._measuring = False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self._result

    async def _keep_calling(self, place: int) -> None:
        await asyncio.sleep(self._job.ramp * 0.8 * place / self._job.calls)
        while True:
            try:
                await self._call(self._job.first + place % (self._job.last - self._job.first))
            except OSError:
                self._result.broken += 1

    async def _call(self, number: int) -> None:
        extension, phones = mover(number)
        dialled = f"*30{extension}" if number % 2 else f"*309{extension}"
        values = {"agi_network": "yes", "agi_network_script": "center", "agi_uniqueid": uuid4().hex}
        reader, writer = await asyncio.open_connection(self._job.host, self._job.port)
        self._in_progress += 1
        try:
            await self._talk(reader, writer, agi_client.environment(values, ["home", phones[0], dialled]))
        finally:
            self._in_progress -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes) -> None:
        codec = agi_client.Client()
        asking = True  # the workers are asked before it answers
        writer.write(first)
        said = time.perf_counter()
        while data := await reader.read(4096):
            heard = time.perf_counter()
            for command in codec.feed(data):
                if self._measuring:
                    (self._result.asking if asking else self._result.own).append((heard - said) * 1e3)
                answer, asking = await self._answer(command.words)
                writer.write(answer)
                said = time.perf_counter()
        self._result.finished += self._measuring

    async def _answer(self, words: tuple[str, ...]) -> tuple[bytes, bool]:
        """What a person says to a command, after a while; and whether the workers are asked next."""
        match words:
            case ("GET", "DATA", *_):
                await self._hold()
                return agi_client.reply(""), True  # a # alone
            case ("STREAM", "FILE", *_):
                await self._hold()
            case ("SET", "VARIABLE", "ROOST_OUTCOME", outcome) if outcome not in self._result.outcomes:
                self._result.outcomes.append(outcome)
            case _:
                pass
        return agi_client.reply("0"), False

    async def _hold(self) -> None:
        await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._job.hold)


def main() -> None:
    """Answer each line with a line."""
    gc.disable()  # its pauses would count as the center's
    for line in sys.stdin:
        print(json.dumps(asdict(asyncio.run(Calls(CallJob(**json.loads(line))).run()))), flush=True)


if __name__ == "__main__":
    main()
