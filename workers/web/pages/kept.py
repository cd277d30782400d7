"""Pages that were made before: kept by what they show, and filled in for each reading.

What differs from one reading to the next, the proof and the keys of the forms, is left open: a kept page holds no
secret, and no form is ever given the key of another. Marks that nobody outside this process can guess show the places.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

#: Bytes of pages that one process keeps; those unread for longest go first.
MOST_BYTES = 16_000_000

#: Stand in a kept page for the proof of a session's forms, and for the key of one form.
PROOF, KEY = secrets.token_hex(16), secrets.token_hex(16)
_HOLES = re.compile(f"({PROOF}|{KEY})")


class Mold:
    """A page with open places."""

    def __init__(self, html: str) -> None:
        parts = _HOLES.split(html)
        self._pieces = [part.encode() for part in parts[::2]]
        self._holes = parts[1::2]
        self.size = len(html)

    def fill(self, proof: str, new_key: Callable[[], str]) -> bytes:
        """The page for one reading."""
        filled = [self._pieces[0]]
        for hole, piece in zip(self._holes, self._pieces[1:], strict=True):
            filled += (proof if hole == PROOF else new_key()).encode(), piece
        return b"".join(filled)


class KeptPages:
    """Thread-safe, and bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[Hashable, Mold] = OrderedDict()
        self._bytes = 0

    def find(self, key: Hashable) -> Mold | None:
        """The page that was kept under this key."""
        with self._lock:
            mold = self._pages.get(key)
            if mold is not None:
                self._pages.move_to_end(key)
            return mold

    def keep(self, key: Hashable, html: str) -> Mold:
        """Keep a page."""
        mold = Mold(html)
        with self._lock:
            before = self._pages.pop(key, None)
            self._bytes += mold.size - (before.size if before else 0)
            self._pages[key] = mold
            while self._bytes > MOST_BYTES:
                self._bytes -= self._pages.popitem(last=False)[1].size
        return mold
