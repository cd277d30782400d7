"""The desks of one organization, watched: each viewer hears of those on its page.

A look reads the desks that the change log names, and a slice of the others on a page, in turn: not every change of a desk is one of
where somebody rings. So a look costs what changed, not what an organization is large or its viewers are many, and a move is seen
at once. Pages that show the same desks form a group: what changed is found out and written once for all of them.
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

#: Desks of the slice that one look reads besides: fewer when that takes more seconds than it should, for a slow look is made less often.
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
        #: Held while a viewer is taken in: of many who come at once, one has the desks read.
        self.door = asyncio.Lock()
        #: By the numbers of their desks.
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._looks = 0
        #: How far the change log was at the last look, and at the one before: what a page missed that was read during a look is read again.
        self._version: int | None = None
        self._since = 0
        # Numbers on a page, in the order in which their turn comes.
        self._turn: list[str] = []
        self._at_once = SLICE
        # What the last look saw: of the numbers that it read, those that are there.
        self._read: set[str] = set()
        self._desks: dict[str, Desk] = {}
        self._counts: DeskCounts | None = None

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
        """Read what changed of the desks on a page, and a slice of them."""
        self._looks += 1
        shown = {number for group in tuple(self._groups) for number in group}
        changed = read_changed_desks(self._database, self._organization, self._since)
        wanted = self._slice(shown)
        if self._version is not None:
            wanted |= shown if changed.more else shown.intersection(changed.numbers)
            self._since = self._version
        self._version = changed.version
        began = time.monotonic()
        desks = read_desks_of(self._database, self._organization, sorted(wanted)) if wanted else []
        slow = time.monotonic() - began > SHOULD_TAKE
        self._at_once = max(SMALLEST_SLICE, self._at_once // 2) if slow else min(SLICE, self._at_once * 2)
        self._read, self._desks = wanted, {desk.number: desk for desk in desks}
        self._counts = self._counting.of(self._organization)

    def _slice(self, shown: set[str]) -> set[str]:
        """The desks whose turn it is. Those on a page since a moment ago wait for the next round."""
        if not self._turn:
            self._turn = sorted(shown)
        turn, self._turn = self._turn[: self._at_once], self._turn[self._at_once :]
        return shown.intersection(turn)

    def tell(self, viewers: set[Viewer]) -> None:
        """Send what changed; when desks came or went, have the page loaded anew."""
        counts = self._counts
        assert counts is not None  # told after a look
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
