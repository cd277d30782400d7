"""What is made at first use: after the fork, and only where it is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TypeVar

T = TypeVar("T")
_making = threading.RLock()


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Made at the first call, once, though several threads come first."""
    kept = cache(make)

    def get() -> T:
        with _making:
            return kept()

    return get
