"""Watched extensions: all of this process in one query; each viewer hears of its own."""

from __future__ import annotations

from roost.database import Database
from roost.views.desks import watched_extensions
from workers.web.live.stream import Viewer, event


class WatchedExtensions:
    """The extensions whose pages are open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[Viewer, tuple[str, str]] = {}
        self._told: dict[str, str] = {}
        self._seen: dict[str, str] = {}

    def add(self, viewer: Viewer, organization: str, number: str, stamp: str) -> None:
        """A page was opened that shows this stamp."""
        self._keys[viewer] = (organization, number)
        key = f"{organization}*{number}"
        if self._told.setdefault(key, stamp) != stamp:
            viewer.tell(event("change", "", key))

    def look(self) -> None:
        """Read the stamps of all."""
        keys = sorted(set(self._keys.values()))
        self._seen = watched_extensions(self._database, keys)

    def tell(self, viewers: set[Viewer]) -> None:
        """Tell those whose extension changed."""
        for gone in self._keys.keys() - viewers:
            del self._keys[gone]
        changed = {key for key, stamp in self._seen.items() if self._told.get(key, stamp) != stamp}
        changed |= self._told.keys() - self._seen.keys() & {"*".join(key) for key in self._keys.values()}
        for viewer, (organization, number) in self._keys.items():
            if f"{organization}*{number}" in changed:
                viewer.tell(event("change", "", f"{organization}*{number}"))
        self._told = dict(self._seen)
