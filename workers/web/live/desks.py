"""The desks of one organization, watched: each viewer hears of those on its page.

A look reads the desks that the change log names, and in turn a slice of all others that are on a page, because not every change of a
desk changes where somebody rings. So a move is seen at once, and the cost of a look grows with what changed, not with the size of the
organization or the number of its viewers. Pages that show the same desks form a group: what changed is found out and written once for
all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from roost.database import Database
from roost.views.changed_desks import read_changed_desks
from roost.views.desks import Desk, DeskCounts, DeskPart, read_desks_of
from workers.web.live.desk_cards import render_card, render_counts, render_desks
from workers.web.live.desk_counts import DeskCounting
from workers.web.live.hub import Fragments, change_of, stamp_of
from workers.web.live.stream import Viewer, event

#: How many desks the slice of a look has. A look that takes more seconds than it should halves the slice, a fast one doubles it.
SLICE, SMALLEST_SLICE = 400, 50
SHOULD_TAKE = 0.02


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

    def __init__(self, database: Database, organization: str, counting: DeskCounting) -> None:
        self._database = database
        self._organization = organization
        self._counting = counting
        #: Held while a viewer is taken in: of many who come at once, only one reads the desks.
        self.door = asyncio.Lock()
        #: By the numbers of their desks.
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._looks = 0
        #: The version of the change log at the last look, and at the look before it. Changes are read from the older one on, so that a page
        #: that was opened during a look misses none.
        self._version: int | None = None
        self._since: int | None = None
        # Numbers on a page, in the order in which their turn comes.
        self._turn: list[str] = []
        self._at_once = SLICE
        # What the last look saw: of the numbers that it read, those that are there.
        self._read: set[str] = set()
        self._desks: dict[str, Desk] = {}
        self._counts: DeskCounts | None = None

    def join(self, viewer: Viewer, stamp: str) -> bool:
        """Let a page with this stamp join the group of pages that look the same. False: there is none, so `add` it."""
        for group in self._groups.values():
            if group.stamp == stamp:
                group.viewers.add(viewer)
                return True
        return False

    def add(self, viewer: Viewer, part: DeskPart, stamp: str) -> None:
        """Take in a page with this stamp, and the desks of its part, which were read just now. A page that is out of date is told to reload."""
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
        """Read those desks on a page that changed, and a slice of the others."""
        self._looks += 1
        shown = {number for group in tuple(self._groups) for number in group}
        changed = read_changed_desks(self._database, self._organization, self._since, shown)
        self._since = changed.version if self._version is None else self._version
        self._version = changed.version
        wanted = self._slice(shown) | shown.intersection(changed.numbers)
        began = time.monotonic()
        desks = read_desks_of(self._database, self._organization, sorted(wanted)) if wanted else []
        slow = time.monotonic() - began > SHOULD_TAKE
        self._at_once = max(SMALLEST_SLICE, self._at_once // 2) if slow else min(SLICE, self._at_once * 2)
        self._read, self._desks = wanted, {desk.number: desk for desk in desks}
        # The first look has nobody to tell: to count a large organization then would be its cost, and put off the next one.
        self._counts = self._counting.of(self._organization) if self._groups else None

    def _slice(self, shown: set[str]) -> set[str]:
        """The desks whose turn it is. A desk that came onto a page during a round has its turn in the next one."""
        if not self._turn:
            self._turn = sorted(shown)
        turn, self._turn = self._turn[: self._at_once], self._turn[self._at_once :]
        return shown.intersection(turn)

    def tell(self, viewers: set[Viewer]) -> None:
        """Send what changed; when desks came or went, have the page loaded anew."""
        if (counts := self._counts) is None:
            return
        shown = render_counts(counts)
        for numbers, group in list(self._groups.items()):
            group.viewers &= viewers
            if not group.viewers:
                del self._groups[numbers]
            elif group.looks_before < self._looks:
                self._tell(self._read.intersection(numbers), counts.desks, shown, group)

    def _tell(self, read: Iterable[str], total: int, counts: Fragments, group: _Group) -> None:
        now = group.told | counts
        came_or_went = total != group.total
        group.total = total
        for number in read:
            if number in self._desks:
                now |= render_card(self._desks[number], self._organization)
            else:
                came_or_went = True
        if not came_or_went and now == group.told:
            return
        stamp = stamp_of(now)
        message = event("reload", "", stamp) if came_or_went else change_of(group.told, now)
        group.told, group.stamp = now, stamp
        for viewer in group.viewers:
            viewer.tell(message)
