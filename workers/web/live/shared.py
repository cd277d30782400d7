"""One look for everybody who asks at about the same time, viewers and readers alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Thread-safe. A look is good for `fresh` seconds; who asks meanwhile hears the same, who asks during one waits for it."""

    def __init__(self, look: Callable[[], T], fresh: float) -> None:
        self._look = look
        self._fresh = fresh
        self._lock = threading.Lock()
        self._seen: tuple[float, T] | None = None

    def __call__(self) -> T:
        """What there is. Raises what looking does."""
        with self._lock:
            if self._seen is None or time.monotonic() - self._seen[0] >= self._fresh:
                # The age counts from before the look: what changes during it is not missed for longer.
                began = time.monotonic()
                self._seen = (began, self._look())
            return self._seen[1]
