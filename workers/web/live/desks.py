"""The desks of one organization, watched: all that are on a page of this process in one query; each viewer hears of its own.

So a look costs what an organization is large, not what its viewers are many, whatever parts and searches they look at. Pages that
show the same desks form a group: what changed is found out and written once for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from roost.database import Database
from roost.views.desks import Desk, DeskCounts, DeskPart, count_desks, read_desks_of
from workers.web.live.desk_cards import render_desks
from workers.web.live.hub import Fragments, change_of, stamp_of
from workers.web.live.stream import Viewer, event


@dataclass(slots=True)
class _Group:
    """Viewers whose pages show the same desks, and what these pages look like: as opened, or as told since."""

    told: Fragments
    stamp: str
    #: Desks of the whole organization, which the pages count.
    total: int
    #: Looks that had begun when the first page was opened. What they saw may be older than the page, so it is not told.
    looks_before: int
    viewers: set[Viewer] = field(default_factory=set)


class WatchedDesks:
    """The desks of one organization that are on a page."""

    def __init__(self, database: Database, organization: str) -> None:
        self._database = database
        self._organization = organization
        #: Held while a viewer is taken in: of many who come at once, one has the desks read.
        self.door = asyncio.Lock()
        #: By the numbers of their desks.
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._looks = 0
        # What the last look saw.
        self._desks: dict[str, Desk] = {}
        self._counts = DeskCounts(0, 0, 0, 0)

    def join(self, viewer: Viewer, stamp: str) -> bool:
        """Let a page of this stamp hear what others hear that look the same; False: there are none, so `add` it."""
        for group in self._groups.values():
            if group.stamp == stamp:
                group.viewers.add(viewer)
                return True
        return False

    def add(self, viewer: Viewer, part: DeskPart, stamp: str) -> None:
        """Take in a page of this stamp, with the desks of its part, read just now; an old page is to be loaded anew."""
        fragments = render_desks(part.desks, part.counts, self._organization)
        now = stamp_of(fragments)
        group = self._groups.setdefault(
            tuple(desk.number for desk in part.desks),
            _Group(fragments, now, part.counts.desks, self._looks),
        )
        group.viewers.add(viewer)
        if not stamp == now == group.stamp:
            viewer.tell(event("reload", "", now))

    def look(self) -> None:
        """Read every desk that is on a page."""
        self._looks += 1
        numbers = {number for group in tuple(self._groups) for number in group}
        desks = read_desks_of(self._database, self._organization, sorted(numbers))
        self._counts = count_desks(self._database, self._organization)
        self._desks = {desk.number: desk for desk in desks}

    def tell(self, viewers: set[Viewer]) -> None:
        """Send what changed; when desks came or went, have the page loaded anew."""
        for numbers, group in list(self._groups.items()):
            group.viewers &= viewers
            if not group.viewers:
                del self._groups[numbers]
            elif group.looks_before < self._looks:
                self._tell(numbers, group)

    def _tell(self, numbers: Sequence[str], group: _Group) -> None:
        there = [self._desks[number] for number in numbers if number in self._desks]
        now = render_desks(there, self._counts, self._organization)
        if now == group.told:
            return
        stamp = stamp_of(now)
        came_or_went = now.keys() != group.told.keys() or self._counts.desks != group.total
        message = event("reload", "", stamp) if came_or_went else change_of(group.told, now)
        group.told, group.stamp, group.total = now, stamp, self._counts.desks
        for viewer in group.viewers:
            viewer.tell(message)
