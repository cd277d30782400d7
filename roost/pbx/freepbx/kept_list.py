"""What is read of many keys: all of them are listed at once, and the list does for the next pieces of the same send or audit.

One by one, 10,000 users took a second of Asterisk's time and one of ours; as a list, 0.1. AstDB is locked meanwhile, some 5 ms for each
thousand users. What an audit thinks different it looks at again, one by one, before it mends anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

#: With so many keys at a time they are read one by one.
ONE_BY_ONE: Final = 256
#: Seconds for which a list will do.
LATELY: Final = 10.0
#: A longer list is not kept: neither here nor in Asterisk should all of a very large table be held at once.
MOST_KEPT: Final = 100_000

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class KeptList(Generic[KeyT, ValueT]):
    """A list of everything, as `read` gives it, made anew when it is old, and given up when it is too long."""

    def __init__(self, read: Callable[[], Mapping[KeyT, ValueT]]) -> None:
        self._read = read
        self._listed: Mapping[KeyT, ValueT] = {}
        self._until = 0.0
        self._too_long = False

    def of(self, count: int) -> Mapping[KeyT, ValueT] | None:
        """The list, for whoever asks for so many; None: read them one by one."""
        if count <= ONE_BY_ONE or self._too_long:
            return None
        if time.monotonic() >= self._until:
            self._listed = self._read()
            self._until = time.monotonic() + LATELY
            self._too_long = len(self._listed) > MOST_KEPT
        return self._listed

    def forget(self) -> None:
        """Something was written: the next list is made anew."""
        self._listed, self._until = {}, 0.0
