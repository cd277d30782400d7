"""Objects that are made at first use: after the fork of a worker, and only in processes that need them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TypeVar

T = TypeVar("T")
_making = threading.RLock()


def at_first_use(make: Callable[[], T]) -> Callable[[], T]:
    """A function that gives what `make` makes. It is made at the first call, and only once, whatever number of threads call first."""
    kept = cache(make)

    def get() -> T:
        with _making:
            return kept()

    return get
