"""The desks of one organization, watched: all that are shown in this process in one query; each viewer hears of its own.

So a look costs what an organization is large, not what its viewers are many, whatever parts and searches they look at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from roost.database import Database
from roost.desks import Desk, DeskCounts, DeskPart, count_desks, read_desks_of
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
    desks: int
    after: int
    viewers: set[Viewer] = field(default_factory=set)


class WatchedDesks:
    """The desks of one organization that are on a screen."""

    def __init__(self, database: Database, organization: str) -> None:
        self._database = database
        self._organization = organization
        self._views: dict[tuple[str, ...], _View] = {}
        self._looks = 0
        self._desks: dict[str, Desk] = {}
        self._counts = DeskCounts(0, 0, 0, 0)

    def add(self, viewer: Viewer, part: DeskPart, seen: str) -> None:
        """A page was opened on this part, which is read just now; `seen` is the stamp of what the page shows."""
        shown = show_desks(part, self._organization)
        numbers = tuple(desk.number for desk in part.desks)
        view = self._views.setdefault(numbers, _View(shown, part.counts.desks, self._looks))
        view.viewers.add(viewer)
        if stamp_of(shown) != seen or view.told != shown:
            viewer.tell(event("reload", "", stamp_of(shown)))

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
        message = (
            event("reload", "", stamp_of(now))
            if others or told.keys() != now.keys()
            else change_of(told, now)
        )
        for viewer in view.viewers:
            viewer.tell(message)
