"""The cache of pages: the HTML of pages that were made before, with gaps that are filled in at each reading.

What differs from one reading to the next, the proof and the keys of the forms, is left open: a cached page holds no
secret, and no form is ever given the key of another. Marks that nobody outside this process can guess show the gaps.
When a page may be taken from here is decided by `cached_page`.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

#: Bytes of pages that one process caches; those unread for longest go first.
MOST_BYTES = 16_000_000

#: Stand in a cached page for the proof of a session's forms, and for the key of one form.
PROOF, KEY = secrets.token_hex(16), secrets.token_hex(16)
_GAPS = re.compile(f"({PROOF}|{KEY})")


class PageWithGaps:
    """A page, but for what belongs to one reading."""

    def __init__(self, html: str) -> None:
        parts = _GAPS.split(html)
        self._pieces = [part.encode() for part in parts[::2]]
        self._gaps = parts[1::2]
        self.size = sum(map(len, self._pieces))

    def fill(self, proof: str, new_key: Callable[[], str]) -> bytes:
        """The page for one reading."""
        filled = [self._pieces[0]]
        for gap, piece in zip(self._gaps, self._pieces[1:], strict=True):
            filled += (proof if gap == PROOF else new_key()).encode(), piece
        return b"".join(filled)


class PageCache:
    """Thread-safe, and bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[Hashable, PageWithGaps] = OrderedDict()
        self._bytes = 0

    def find(self, key: Hashable) -> PageWithGaps | None:
        """The page that was put under this key, if it is still here."""
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
            return page

    def put(self, key: Hashable, html: str) -> PageWithGaps:
        """Cache a page."""
        page = PageWithGaps(html)
        with self._lock:
            before = self._pages.pop(key, None)
            self._bytes += page.size - (before.size if before else 0)
            self._pages[key] = page
            while self._bytes > MOST_BYTES:
                self._bytes -= self._pages.popitem(last=False)[1].size
        return page
