"""The desks of one organization, watched: all that are shown in this process in one query; each viewer hears of its own.

So a look costs what an organization is large, not what its viewers are many, whatever parts and searches they look at.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from roost.database import Database
from roost.views.desks import Desk, DeskCounts, DeskPart, count_desks, read_desks_of
from workers.web.live.hub import Fragments, change_of, stamp_of
from workers.web.live.stream import Viewer, event
from workers.web.pages.render import render

_PART = re.compile(r"[1-9][0-9]{0,6}")
#: Cards that are kept rendered.
_KEPT_CARDS = 4096


class Wanted(NamedTuple):
    """Which desks somebody looks at: a part of all, or of what a search finds."""

    search: str = ""
    part: int = 1


def wanted(search: str, part: str) -> Wanted:
    """What an address asks for; what no address of ours says is the first part."""
    number = int(part) if _PART.fullmatch(part) else 1
    return Wanted("".join(character for character in search[:64] if character.isprintable()), number)


def show_desks(part: DeskPart, organization: str) -> Fragments:
    """Render a part of the desks."""
    return _fragments(part.desks, part.counts, organization)


def _fragments(desks: Sequence[Desk], counts: DeskCounts, organization: str) -> Fragments:
    cards = {f"desk-{desk.number}": _card(desk, organization) for desk in desks}
    return {"desk-counts": render("desk_counts.html", counts=counts)} | cards


@lru_cache(_KEPT_CARDS)
def _card(desk: Desk, organization: str) -> str:
    return render("desk_card.html", desk=desk, code=organization)


@dataclass(slots=True)
class _View:
    """The same desks on several screens, and what these were told."""

    told: Fragments
    stamp: str
    desks: int
    after: int
    viewers: set[Viewer] = field(default_factory=set)


class WatchedDesks:
    """The desks of one organization that are on a screen."""

    def __init__(self, database: Database, organization: str) -> None:
        self._database = database
        self._organization = organization
        #: Held while a viewer is taken in: of many who come at once, one has the desks read.
        self.door = asyncio.Lock()
        self._views: dict[tuple[str, ...], _View] = {}
        self._looks = 0
        self._desks: dict[str, Desk] = {}
        self._counts = DeskCounts(0, 0, 0, 0)

    def join(self, viewer: Viewer, seen: str) -> bool:
        """A page was opened that shows what others were told last, by its stamp; False: none of them was told that."""
        for view in self._views.values():
            if view.stamp == seen:
                view.viewers.add(viewer)
                return True
        return False

    def add(self, viewer: Viewer, part: DeskPart, seen: str) -> None:
        """A page was opened on this part, which is read just now; `seen` is the stamp of what the page shows."""
        shown = show_desks(part, self._organization)
        numbers, stamp = tuple(desk.number for desk in part.desks), stamp_of(shown)
        view = self._views.setdefault(numbers, _View(shown, stamp, part.counts.desks, self._looks))
        view.viewers.add(viewer)
        if stamp != seen or view.stamp != stamp:
            viewer.tell(event("reload", "", stamp))

    def look(self) -> None:
        """Read every desk that is shown somewhere."""
        self._looks += 1
        shown = {number for numbers in tuple(self._views) for number in numbers}
        desks = read_desks_of(self._database, self._organization, sorted(shown))
        self._counts = count_desks(self._database, self._organization)
        self._desks = {desk.number: desk for desk in desks}

    def tell(self, viewers: set[Viewer]) -> None:
        """Send what changed; when desks came or went, have the page read anew."""
        for numbers, view in list(self._views.items()):
            view.viewers &= viewers
            if not view.viewers:
                del self._views[numbers]
            elif view.after < self._looks:  # else this look began before the page was opened
                self._tell(numbers, view)

    def _tell(self, numbers: Sequence[str], view: _View) -> None:
        there = [self._desks[number] for number in numbers if number in self._desks]
        now = _fragments(there, self._counts, self._organization)
        told, view.told = view.told, now
        others, view.desks = view.desks != self._counts.desks, self._counts.desks
        if told == now:
            return
        view.stamp = stamp_of(now)
        anew = others or told.keys() != now.keys()
        message = event("reload", "", view.stamp) if anew else change_of(told, now)
        for viewer in view.viewers:
            viewer.tell(message)
