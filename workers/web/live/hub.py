"""The hub: who watches what, in this process. Each thing that is watched is looked at by one task, for all its viewers.

A look costs the database the same for one viewer and for hundreds; a slow look is made less often.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Protocol

import structlog
from starlette.concurrency import run_in_threadpool

from roost.errors import Unavailable
from workers.web.live.stream import Viewer, event

#: Seconds between looks; more when a look takes long.
PACE = 0.3
#: Seconds until the first look must have come; then the stream ends, and the browser tries again.
FIRST_LOOK = 20.0
#: A look may take this part of the time. It costs what the quickest of the last ones took: the others waited for the machine.
SHARE = 0.1
LAST_LOOKS = 3

log = structlog.get_logger(__name__)

#: What a picture is made of: HTML by the id of its element.
Fragments = dict[str, str]


class Watched(Protocol):
    """Something that is watched. Its viewers are kept by the hub."""

    def look(self) -> None:
        """Read what there is now, in a thread. Raises Unavailable."""

    def tell(self, viewers: set[Viewer]) -> None:
        """Tell the viewers what changed since the look before, on the event loop."""


class Picture:
    """Watched HTML: viewers are told the fragments that changed, or to read the page anew when others came or went."""

    def __init__(self, render: Callable[[], Fragments]) -> None:
        self._render = render
        self._told: Fragments | None = None
        self._seen: Fragments = {}

    def look(self) -> None:
        """Make the HTML anew, in a thread; `tell` compares it with what was told."""
        self._seen = self._render()

    def tell(self, viewers: set[Viewer]) -> None:
        """Send what changed."""
        told, self._told = self._told, self._seen
        if told is None or told == self._seen:
            return
        others = told.keys() != self._seen.keys()
        message = event("reload", "", stamp_of(self._seen)) if others else change_of(told, self._seen)
        for viewer in viewers:
            viewer.tell(message)

    def greet(self, viewer: Viewer, stamp: str) -> None:
        """A viewer came with a page of this stamp: it is told if that is an old one."""
        if self._told is not None and stamp_of(self._told) != stamp:
            viewer.tell(event("reload", "", stamp_of(self._told)))


def change_of(told: Fragments, now: Fragments) -> str:
    """The event that brings what was told to what is now; both of the same elements."""
    changed = [_out_of_band(html) for name, html in now.items() if told[name] != html]
    return event("change", "\n".join(changed), stamp_of(now))


def _out_of_band(html: str) -> str:
    """Mark a fragment as one that replaces the element of its id, wherever that is."""
    return html.strip().replace(">", ' hx-swap-oob="true">', 1)


def stamp_of(fragments: Fragments) -> str:
    """A text that is equal for equal fragments, in every process."""
    digest = hashlib.sha256()
    for name, html in fragments.items():
        digest.update(f"{name}\0{html}\0".encode())
    return digest.hexdigest()[:24]


class Hub:
    """Everything that is watched in this process."""

    def __init__(self) -> None:
        self._watched: dict[Hashable, tuple[Watched, set[Viewer], asyncio.Task[None]]] = {}
        self._first_look: dict[Hashable, asyncio.Event] = {}

    async def watch_picture(
        self, viewer: Viewer, name: Hashable, render: Callable[[], Fragments], stamp: str, lifetime: float
    ) -> AsyncIterator[str]:
        """Watch a picture, of which the viewer has the version of this stamp."""

        async def greet(watched: Watched, viewer: Viewer) -> None:
            assert isinstance(watched, Picture)
            watched.greet(viewer, stamp)

        async for message in self.watch(viewer, name, lambda: Picture(render), lifetime, greet):
            yield message

    async def watch(
        self,
        viewer: Viewer,
        name: Hashable,
        make: Callable[[], Watched],
        lifetime: float,
        greet: Callable[[Watched, Viewer], Awaitable[None]],
    ) -> AsyncIterator[str]:
        """Watch something; `make` it if nobody does yet, and `greet` the viewer after the first look."""
        watched, looked = self._join(name, make, viewer)
        try:
            yield ": hello\n\n"
            await asyncio.wait_for(looked.wait(), FIRST_LOOK)
            await greet(watched, viewer)
            async for message in viewer.messages(lifetime):
                yield message
        except TimeoutError:
            log.warning("live_view_given_up", watched=str(name))
        finally:
            self._leave(name, viewer)

    def _join(
        self, name: Hashable, make: Callable[[], Watched], viewer: Viewer
    ) -> tuple[Watched, asyncio.Event]:
        known = self._watched.get(name)
        if (
            known is None or known[2].done()
        ):  # one that failed for good is left to those who have not heard yet that it has ended
            watched, looked, viewers = make(), asyncio.Event(), set[Viewer]()
            task = asyncio.create_task(self._keep_looking(watched, viewers, looked))
            task.add_done_callback(lambda ended: _end_all(ended, viewers))
            self._watched[name], self._first_look[name] = (watched, viewers, task), looked
        watched, viewers, _ = self._watched[name]
        viewers.add(viewer)
        return watched, self._first_look[name]

    def _leave(self, name: Hashable, viewer: Viewer) -> None:
        if name not in self._watched:
            return
        _, viewers, task = self._watched[name]
        viewers.discard(viewer)
        if not viewers or task.done():
            task.cancel()
            del self._watched[name], self._first_look[name]

    @staticmethod
    async def _keep_looking(watched: Watched, viewers: set[Viewer], looked: asyncio.Event) -> None:
        trouble = False
        costs = deque[float](maxlen=LAST_LOOKS)
        while True:
            started = time.monotonic()
            try:
                cost = await run_in_threadpool(_timed, watched.look)
            except Unavailable as error:
                if not trouble:
                    log.warning("live_view_interrupted", error=error.code)
                    for viewer in viewers:
                        viewer.tell(event("trouble", error.code))
                trouble = True
                cost = time.monotonic() - started
            else:
                watched.tell(viewers)
                looked.set()
                if trouble:
                    for viewer in viewers:
                        viewer.tell(event("fine", ""))
                trouble = False
            costs.append(cost)
            await asyncio.sleep(max(PACE, min(costs) / SHARE - min(costs)))


def _timed(look: Callable[[], None]) -> float:
    """Look; the seconds it took. To wait for a thread, when many come at once, is not the look's cost."""
    started = time.monotonic()
    look()
    return time.monotonic() - started


def _end_all(task: asyncio.Task[None], viewers: set[Viewer]) -> None:
    """A look that failed for good is told in the log, and its viewers start anew."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("live_view_failed", exc_info=error)
        for viewer in viewers:
            viewer.end()
