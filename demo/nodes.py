"""The nodes, asked themselves: what each holds, and when it came to hold it. The database is not looked at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from demo.cast import NOWHERE, ORGANIZATION, View
from roost.errors import NodeRefused, NodeUnavailable
from roost.pbx.kinds import connect
from roost.pbx.node import ActsAs, Cursor, NodeAddress, PbxNode, Rings

#: Between two looks at a node, seconds: how exact the milliseconds are.
_LOOK_EVERY = 0.002
#: All that it holds is read when its cursor has moved, and so often anyway, seconds.
_READ_EVERY = 0.25
_DEADLINE = 5.0


class Node:
    """One node and a connection to it."""

    def __init__(self, name: str, address: NodeAddress) -> None:
        self.name = name
        self._connection: PbxNode = connect(address, _DEADLINE)

    def cursor(self) -> Cursor | None:
        """How far it is, which it is told last. Raises NodeUnavailable."""
        return self._connection.cursor()

    def view(self) -> View:
        """All it holds. Raises NodeUnavailable."""
        rings, speaks = {}, {}
        for change in self._connection.dump().values():
            match change:
                case Rings(extension, node, phone):
                    rings[extension.removeprefix(f"{ORGANIZATION}*")] = (
                        f"{node}/{phone}" if phone else NOWHERE
                    )
                case ActsAs():
                    speaks[change.phone] = change.number
                case _:
                    pass
        return View(rings, speaks)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Follower(threading.Thread):
    """Looks at one node again and again, and remembers since when it holds what it holds."""

    def __init__(self, node: Node) -> None:
        super().__init__(name=f"follow-{node.name}", daemon=True)
        self._node = node
        self._over = threading.Event()
        self._seen: tuple[float, View] | None = None
        self.failure: str | None = None

    def run(self) -> None:
        """Look until `finish`."""
        cursor, read_at = None, float("-inf")
        while not self._over.is_set():
            try:
                told = self._node.cursor()
                if told != cursor or time.monotonic() - read_at > _READ_EVERY:
                    cursor, read_at = told, time.monotonic()
                    self._note(self._node.view())
            except (NodeUnavailable, NodeRefused) as error:
                self.failure = str(error)
                return
            self._over.wait(_LOOK_EVERY)

    def _note(self, view: View) -> None:
        if self._seen is None or self._seen[1] != view:
            self._seen = (time.monotonic(), view)

    def finish(self) -> None:
        """End the thread, and wait for its end."""
        self._over.set()
        self.join(_DEADLINE + 1)

    @property
    def view(self) -> View | None:
        """What it holds; None when it could not be seen yet."""
        return self._seen[1] if self._seen else None

    def since(self, wanted: View) -> float | None:
        """Since when it holds what is wanted (time.monotonic()); None: it does not."""
        return self._seen[0] if self._seen and self._seen[1] == wanted else None


class Nodes:
    """All nodes of the cluster."""

    def __init__(self, addresses: Mapping[str, NodeAddress]) -> None:
        self._nodes = [Node(name, address) for name, address in addresses.items()]
        self.names = list(addresses)

    def view(self, name: str) -> View:
        """What one node holds now."""
        return self._nodes[self.names.index(name)].view()

    @contextmanager
    def followed(self) -> Iterator[dict[str, Follower]]:
        """Followers of all nodes, by name; each has seen its node once."""
        followers = {node.name: Follower(node) for node in self._nodes}
        for follower in followers.values():
            follower.start()
        try:
            _wait_until(lambda: all(f.view or f.failure for f in followers.values()), _DEADLINE)
            yield followers
        finally:
            for follower in followers.values():
                follower.finish()

    def close(self) -> None:
        """Close every connection."""
        for node in self._nodes:
            node.close()


def await_view(followers: Mapping[str, Follower], wanted: View, deadline: float) -> None:
    """Wait until every node holds what is wanted, at most `deadline` seconds."""
    _wait_until(lambda: all(f.failure or f.since(wanted) for f in followers.values()), deadline)


def _wait_until(condition: Callable[[], object], deadline: float) -> None:
    ends = time.monotonic() + deadline
    while not condition() and time.monotonic() < ends:
        time.sleep(_LOOK_EVERY)
