"""A push of several nodes: those that keep pace together, then each of the others by itself, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed, wait
from contextlib import suppress

import structlog

from roost.errors import DatabaseUnavailable
from roost.nodes.converge import Converged
from roost.nodes.converge_together import PushTogether, Together, Write
from roost.nodes.holding import PushFailed
from tasks.turns import Turns

log = structlog.get_logger(__name__)


class Several:
    """Pushes of several nodes. Thread-safe.

    `tell` hears what became of a node that was pushed to together with others. `hands` make the pushes of their own, and wait for nobody who is
    late: a node that does not answer holds one of them until its deadline.
    """

    def __init__(
        self,
        turns: Turns,
        together: PushTogether,
        tell: Callable[[str, Converged | PushFailed], None],
        hands: Executor,
    ) -> None:
        self._turns = turns
        self._together = together
        self._tell = tell
        self._hands = hands

    def push(self, nodes: Sequence[str]) -> None:
        """Bring each of the nodes to the truth. Raises what nobody expects."""
        mine = self._turns.begin(nodes)
        found, left, pushes = Together(), set(mine), list[Future[None]]()
        try:
            found = self._push_together(mine)
            for node in mine:
                if node not in found.done and node not in found.late:
                    pushes.append(self._hands.submit(self._turns.go_on, node))
                    left.discard(node)
            for node, result in found.done.items():
                self._tell(node, result)
                if not self._turns.end(node):
                    pushes.append(self._hands.submit(self._turns.go_on, node))
                left.discard(node)
            late = {write.result: (node, write) for node, write in found.late.items()}
            for written in as_completed(late):
                pushes.append(self._hands.submit(self._go_on, *late[written]))
                left.discard(late[written][0])
        finally:
            for node in left:
                if node in found.late:
                    with suppress(Exception):  # there is one already
                        self._together.note_late(found.late[node])
                self._turns.give_up(node)
        wait(pushes)  # each ends within its node's deadlines
        for done in pushes:
            done.result()

    def _push_together(self, nodes: Sequence[str]) -> Together:
        """Push to those that keep pace; each of the others wants a push of its own."""
        try:
            return self._together.push(nodes)
        except DatabaseUnavailable:
            return Together()  # who pushes to each says so
        except Exception as error:  # noqa: BLE001 - whatever it is, it harms only the node whose own push meets it again
            log.warning("pushed_one_by_one", nodes=nodes, error=type(error).__name__)
            return Together()

    def _go_on(self, node: str, late: Write) -> None:
        """Push to a node by itself, now that it has what was late."""
        try:
            with suppress(DatabaseUnavailable):  # the push says so
                self._together.note_late(late)
        except BaseException:
            self._turns.give_up(node)
            raise
        self._turns.go_on(node)
