"""Watched extensions: all whose pages are open in this process, in one query; each viewer hears of its own."""

from __future__ import annotations

from dataclasses import dataclass

from roost.database import Database
from roost.directory.fields import ExtensionKey
from roost.views.desks import watched_extensions
from workers.web.live.stream import Viewer, event


@dataclass(slots=True)
class _Page:
    """An open page: its extension, and the stamp of what it shows or was told last. An extension that was removed has the stamp ''."""

    extension: ExtensionKey
    stamp: str


class WatchedExtensions:
    """The extensions whose pages are open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pages: dict[Viewer, _Page] = {}
        #: What the last look saw, for the pages that were open when it began. A page that was opened later may show something newer.
        self._seen: dict[Viewer, str] = {}

    def add(self, viewer: Viewer, extension: ExtensionKey, stamp: str) -> None:
        """Take in a page that shows this stamp. The next look finds out whether it is out of date."""
        self._pages[viewer] = _Page(extension, stamp)

    def look(self) -> None:
        """Read the stamps of all."""
        pages = self._pages.copy()
        stamps = watched_extensions(self._database, sorted({page.extension for page in pages.values()}))
        self._seen = {viewer: stamps.get(str(page.extension), "") for viewer, page in pages.items()}

    def tell(self, viewers: set[Viewer]) -> None:
        """Tell those whose extension changed."""
        for gone in self._pages.keys() - viewers:
            del self._pages[gone]
        for viewer, page in self._pages.items():
            stamp = self._seen.get(viewer, page.stamp)
            if stamp != page.stamp:
                page.stamp = stamp
                viewer.tell(event("change", "", str(page.extension)))
