"""What is watched, in one process: a look that failed for good leaves nobody with a stream on which nothing comes."""

from __future__ import annotations

import asyncio

from roost.people.access import Asker, Right
from roost.people.revocation import Credential
from workers.web.live.hub import Hub, Watched
from workers.web.live.stream import Viewer, Watching, event

#: Seconds until what is expected must have come.
PATIENCE = 20.0


class Clock:
    """Tells that time goes by, until it breaks."""

    def __init__(self) -> None:
        self.broken = False

    def look(self) -> None:
        """Read nothing."""
        if self.broken:
            raise ZeroDivisionError

    def tell(self, viewers: set[Viewer]) -> None:
        """Tell all."""
        for viewer in viewers:
            viewer.tell(event("tick", ""))


async def greet(_watched: Watched, _viewer: Viewer) -> None:
    """Say nothing."""


def somebody() -> Viewer:
    return Viewer(Watching(Credential(b"", Asker("person:1", "ann", "web", Right.READ)), "192.0.2.1"))


def test_who_comes_after_a_look_failed_for_good_is_told_what_a_new_one_sees() -> None:
    """Although somebody is still there who has not taken yet that their stream has ended, for their line is slow."""

    async def watch() -> None:
        hub, first = Hub(), Clock()
        slow = hub.watch(somebody(), "clock", lambda: first, 60.0, greet)
        async with asyncio.timeout(PATIENCE):
            while "tick" not in await anext(slow):
                pass
            first.broken = True
            await asyncio.wait([task for task in asyncio.all_tasks() if task is not asyncio.current_task()])
            new = hub.watch(somebody(), "clock", Clock, 60.0, greet)
            while "tick" not in await anext(new):
                pass
            await slow.aclose()  # type: ignore[attr-defined]  # it is a generator
            while "tick" not in await anext(new):
                pass
            await new.aclose()  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(watch())
