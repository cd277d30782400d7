"""Viewers of a large organization's desks: how long it takes from a move until everybody who looks at that desk was told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from benchmarks.load import at_quantile
from benchmarks.paced import paced_binds
from benchmarks.report import Report
from benchmarks.stage import Stage, wait_until
from benchmarks.world import ORGANIZATION
from roost.database import Database
from roost.people.person import People, Role
from roost.people.sessions import Sessions
from roost.views.desks import PART
from tasks.client import Client

_VIEWERS = 100
#: The viewers look at so many pages of desks, as many at each.
_PAGES = 10
#: Moves a second, all of desks that somebody looks at.
_PACE = 20
_PASSWORD = "only for the benchmark"
_DEADLINE = 30.0


@dataclass(slots=True)
class _Expected:
    """A move that viewers of a page have not all been told of."""

    phone: str
    missing: set[int]
    seen: Future[float] = field(default_factory=Future)


class Viewers:
    """A thread with an open event stream for each viewer; use as a context manager."""

    def __init__(self, port: int, cookie: str, pages: int) -> None:
        self._port, self._cookie, self._pages = port, cookie, pages
        #: By the number of the desk.
        self._expected: defaultdict[str, list[_Expected]] = defaultdict(list)
        self._ready: set[int] = set()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="viewers", daemon=True)
        self._failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: len(self._ready) == _VIEWERS or bool(self._failed), "all viewers watch", _DEADLINE)
        self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(self._loop)])
        self._thread.join(timeout=30)

    def expect(self, key: str, value: str) -> Future[float]:
        """When (by `time.perf_counter`) the last viewer of that desk was told that it rings at this phone."""
        number = key.rpartition("*")[2]
        page = int(number) // PART
        expected = _Expected(value.rpartition("/")[2], set(range(page, _VIEWERS, self._pages)))
        with self._lock:
            self._expected[number].append(expected)
        return expected.seen

    def _run(self) -> None:
        async def everybody() -> None:
            await asyncio.gather(*(self._watch(viewer) for viewer in range(_VIEWERS)), return_exceptions=True)

        try:
            with suppress(asyncio.CancelledError):  # nobody watches any more
                self._loop.run_until_complete(everybody())
        finally:
            self._loop.close()

    async def _watch(self, viewer: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
        try:
            part = viewer % self._pages + 1
            writer.write(
                f"GET /live/organizations/{ORGANIZATION}?part={part} HTTP/1.1\r\nHost: bench\r\n{self._cookie}\r\n\r\n".encode()
            )
            status = await reader.readline()
            if b" 200 " not in status:
                self._failed.append(status.decode())
                return
            while True:
                message = (await reader.readuntil(b"\n\n")).decode(errors="replace")
                now = time.perf_counter()
                # A page without a stamp is an old one, so the first that it hears is to load itself anew.
                if "event: reload" in message:
                    self._ready.add(viewer)
                elif "event: change" in message:
                    self._heard(viewer, message, now)
        except asyncio.IncompleteReadError:
            self._failed.append(f"the stream of viewer {viewer} ended")
        finally:
            writer.close()

    def _heard(self, viewer: int, message: str, now: float) -> None:
        for card in message.split('<li id="desk-')[1:]:
            number = card.partition('"')[0]
            with self._lock:
                for expected in self._expected.get(number, ()):
                    if expected.phone in card:
                        expected.missing.discard(viewer)
                        if not expected.missing and not expected.seen.done():
                            expected.seen.set_result(now)

    def _check(self) -> None:
        if self._failed:
            raise RuntimeError(self._failed[0])


def measure(stage: Stage, seconds: float, report: Report) -> None:
    """Each move is told to a tenth of the viewers; it counts when the last of them has it."""
    desks = _desks(stage)
    pages = min(_PAGES, desks // PART)
    with (
        Client(stage.settings) as client,
        Viewers(stage.product.web_ports[0], _sign_in(stage), pages) as viewers,
    ):
        moves = paced_binds(
            client, stage.settings, viewers, movers=(0, pages * PART // 3 - 1), per_second=_PACE, seconds=seconds
        )  # fmt: skip
    report.ratio("live_100k", at_quantile(moves.applied, 0.99))
    report.figure(
        f"a move to the last event at viewers of {desks:,} desks, p50", at_quantile(moves.applied, 0.5), "ms",
        at_quantile(moves.answered, 0.5), "answered ms",
    )  # fmt: skip


def _desks(stage: Stage) -> int:
    row = stage.sql.execute("SELECT count(*) FROM extension").fetchone()
    assert row is not None  # it counts
    return int(row[0])


def _sign_in(stage: Stage) -> str:
    with closing(Database(stage.url, size=1)) as database:
        People(database).add("viewer", _PASSWORD, Role.OPERATOR)
        return f"Cookie: roost={Sessions(database, stage.settings).sign_in('viewer', _PASSWORD, '127.0.0.1').secret}"
