"""Pushes of one node take turns: a wake-up that comes while one goes on is never lost, and never waits for it.

A push sends what was numbered before it looked. What is numbered a moment later has a wake-up of its own, which finds the node taken: then
whoever is at the node looks once more. Without that, the last of several changes would wait for the sweep.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: Seconds until a node that another process holds is tried again, once. That one sends all that it sees before its end, which lasts milliseconds.
ANOTHERS_TURN = 0.05


class Turns:
    """The turns of one process. `push` says whether it looked at the node: False when another process holds it. Thread-safe."""

    def __init__(self, push: Callable[[str], bool], rest: Callable[[float], object] = time.sleep) -> None:
        self._push = push
        self._rest = rest
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._lock = threading.Lock()

    def take(self, node: str) -> None:
        """Push to the node; or have whoever is pushing to it do so once more, and return at once."""
        with self._lock:
            if node in self._busy:
                self._again.add(node)
                return
            self._busy.add(node)
        try:
            while True:
                if not self._push(node):
                    self._rest(ANOTHERS_TURN)
                    self._push(node)
                if self._ends(node):
                    return
        except BaseException:
            self._ends(node, now=True)
            raise

    def _ends(self, node: str, *, now: bool = False) -> bool:
        with self._lock:
            again = node in self._again
            self._again.discard(node)
            if again and not now:
                return False
            self._busy.discard(node)
            return True
