"""Pushes of one node take turns: a wake-up that comes while one goes on is never lost, and never waits for it.

A push sends what was numbered before it looked. What is numbered a moment later has a wake-up of its own, which finds the node taken: then
whoever is at the node looks once more. Without that, the last of several changes would wait for the sweep.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from roost.nodes.converge_together import PATIENCE

#: Seconds until a node that another process holds is tried again, and then once more. That one sends all that it sees before its end, which
#: lasts milliseconds, or as long as it waits for the slowest of several nodes.
ANOTHERS_TURN = (0.05, PATIENCE)


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
        if self.begin([node]):
            self.go_on(node)

    def begin(self, nodes: Sequence[str]) -> list[str]:
        """Those of the nodes whose turn it is now, each to be ended by `end` or `go_on`; whoever is pushing to the others does so once more."""
        with self._lock:
            mine = [node for node in dict.fromkeys(nodes) if node not in self._busy]
            self._again.update(node for node in nodes if node in self._busy)
            self._busy.update(mine)
            return mine

    def end(self, node: str) -> bool:
        """End the node's turn, whose push is done. False: somebody came meanwhile, so it is not ended; `go_on`."""
        return self._ends(node)

    def go_on(self, node: str) -> None:
        """Push to a node whose turn has begun, until nobody comes any more; then its turn has ended."""
        try:
            while True:
                rests = iter(ANOTHERS_TURN)
                while not self._push(node) and (rest := next(rests, None)):
                    self._rest(rest)
                if self._ends(node):
                    return
        except BaseException:
            self.give_up(node)
            raise

    def give_up(self, node: str) -> None:
        """End the node's turn, whatever is left to do: the sweep finds it."""
        self._ends(node, now=True)

    def _ends(self, node: str, *, now: bool = False) -> bool:
        with self._lock:
            again = node in self._again
            self._again.discard(node)
            if again and not now:
                return False
            self._busy.discard(node)
            return True
