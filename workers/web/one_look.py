"""One look for all who ask meanwhile, which takes one thread however many ask and however long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")


class OneLook(Generic[T]):
    """Used on the event loop only. Who asks while it looks hears what it sees."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._looking: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """What there is. Raises what looking does."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(run_in_threadpool(self._look))
        return await asyncio.shield(self._looking)  # whoever goes away takes it from nobody
