"""One look for everybody who asks at about the same time, viewers and readers alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Thread-safe. What was seen is good for `fresh` seconds; who asks during a look waits for it, and hears what it saw."""

    def __init__(self, look: Callable[[], T], fresh: float) -> None:
        self._look = look
        self._fresh = fresh
        self._lock = threading.Lock()
        self._seen: tuple[float, float, T] | None = None

    def __call__(self) -> T:
        """What there is. Raises what looking does."""
        asked = time.monotonic()
        with self._lock:
            if self._seen is not None:
                began, ended, seen = self._seen
                if asked - began < self._fresh or asked < ended:
                    return seen
            began = time.monotonic()
            seen = self._look()
            self._seen = (began, time.monotonic(), seen)
            return seen
