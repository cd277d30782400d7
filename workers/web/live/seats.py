"""Seats: who may hold a stream open, how many of them, and for how long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import structlog
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from roost.database import Database
from roost.errors import Unavailable
from roost.people.networks import network_of
from roost.people.revocation import Credential, still_good
from workers.web.live.stream import Viewer, Watching
from workers.web.metrics import Metrics

#: Seconds between two looks at who lost their access.
PACE = 0.3
#: Of all seats, one person or token may take a quarter, one address a half.
PERSONS_SHARE, ADDRESS_SHARE = 4, 2
#: How many of those who were cut off because their organization is disabled are remembered.
MOST_REMEMBERED = 10_000

log = structlog.get_logger(__name__)


class TooManyViewers(Unavailable):
    """Too many pages are open here; this one does not move by itself."""

    code = "too_many_viewers"


class Seats:
    """Every open stream of this process. Used on the event loop only."""

    def __init__(self, metrics: Metrics, *, most: int) -> None:
        self._metrics = metrics
        self._most = most
        self._viewers: set[Viewer] = set()
        self._taken: Counter[str] = Counter()
        self._stopping = False

    def stop(self) -> None:
        """Close every stream; browsers come back to another process, or to the next one."""
        self._stopping = True
        for viewer in list(self._viewers):
            viewer.end()

    @contextmanager
    def taken(self, who: Watching) -> Iterator[Viewer]:
        """A seat for one stream. Raises TooManyViewers."""
        person, address = who.credential.asker.id, f"address:{who.address}"
        if (
            len(self._viewers) >= self._most
            or self._taken[person] >= self._most / PERSONS_SHARE
            or self._taken[address] >= self._most / ADDRESS_SHARE
        ):
            raise TooManyViewers
        viewer = Viewer(who)
        self._viewers.add(viewer)
        self._taken.update((person, address))
        self._metrics.viewing(len(self._viewers))
        try:
            if self._stopping:
                viewer.end()
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._taken.subtract((person, address))
            self._taken += Counter()  # forgets those who have none
            self._metrics.viewing(len(self._viewers))

    async def keep_watch(self, database: Database, idle: float) -> None:
        """Until cancelled, cut off whoever loses their access, or whose organization is disabled.

        While PostgreSQL is away, nobody is cut off, since it cannot be asked.
        """
        #: Who was cut off once because of a disabled organization: they may come back, to see the page as it is now.
        disabled: set[Credential] = set()
        while True:
            await asyncio.sleep(PACE)
            credentials = {viewer.who.credential for viewer in self._viewers}
            if not credentials:
                continue
            try:
                good = await run_in_threadpool(still_good, database, credentials, idle)
            except Unavailable:
                continue  # the streams themselves say that it is away
            now_disabled = {each for each, enabled in good.items() if not enabled}
            ended = (credentials - good.keys()) | (now_disabled - disabled)
            kept = disabled if len(disabled) < MOST_REMEMBERED else set()
            disabled = (kept | now_disabled) - (good.keys() - now_disabled)
            for viewer in [each for each in self._viewers if each.who.credential in ended]:
                log.info("stream_cut_off", asker=viewer.who.credential.asker.id)
                viewer.cut_off()


class LiveStream(StreamingResponse):
    """An event stream that has a seat as long as it lasts. Raises TooManyViewers before anything is sent."""

    def __init__(self, seats: Seats, who: Watching, messages: Callable[[Viewer], AsyncIterator[str]]) -> None:
        super().__init__(
            iter(()),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._seats = seats
        self._who = who
        self._messages = messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the seat, and stream."""
        with self._seats.taken(self._who) as viewer:
            self.body_iterator = self._messages(viewer)
            await super().__call__(scope, receive, send)


def watching(credential: Credential, connection: HTTPConnection) -> Watching:
    """Who watches over this connection."""
    host = connection.client.host if connection.client else ""
    return Watching(credential, network_of(host))
