"""A question that is asked by a thread of its own: whoever wants the answer waits for a bounded time, whatever is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from roost.errors import Unavailable

T = TypeVar("T")

#: Prometheus waits ten seconds for all that a process tells.
DEADLINE = 4.0


class Look(Generic[T]):
    """Thread-safe. A question that hangs is not asked again meanwhile."""

    def __init__(self, ask: Callable[[], T], name: str) -> None:
        self._ask = ask
        self._name = f"look-{name}"
        self._lock = threading.Lock()
        self._asked: Future[T] | None = None

    def begin(self) -> Future[T]:
        """Ask, unless it is being asked."""
        with self._lock:
            if self._asked is None or self._asked.done():
                asked = Future[T]()
                # Daemonic: a question that hangs must not hold up the end of the process.
                threading.Thread(target=self._run, args=(asked,), name=self._name, daemon=True).start()
                self._asked = asked  # not before: what no thread asks would never be answered
            return self._asked

    def _run(self, asked: Future[T]) -> None:
        try:
            asked.set_result(self._ask())
        except Exception as error:  # noqa: BLE001 - it is raised by `answer`
            asked.set_exception(error)

    @staticmethod
    def answer(asked: Future[T]) -> T:
        """The answer. Raises Unavailable when it does not come in time, and what the question raises."""
        try:
            return asked.result(DEADLINE)
        except TimeoutError:
            raise Unavailable from None
