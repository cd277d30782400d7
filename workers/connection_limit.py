"""How many connections one process has at most. When there are as many, an idle one is closed to make room for a new one."""

from __future__ import annotations

import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import structlog

from roost.errors import RoostError

#: Descriptors for all that is no connection of this kind: files, PostgreSQL, RabbitMQ, the event loop.
OTHERS = 100
#: Seconds between two lines in the log while connections are closed for want of room.
SAID_EVERY = 60.0

log = structlog.get_logger(__name__)

C = TypeVar("C")


class TooFewDescriptors(RoostError):
    """The process may not open the files that its settings promise."""

    code = "too_few_descriptors"


class ConnectionLimit(Generic[C]):
    """The connections of a process, `most` of them, and `most_of_one` from one address. `close` ends one that has to make room. Used on the event loop only.

    A connection is idle until it has sent a whole request, and again after the answer. When there is no room, the one that was idle for the longest
    time is closed, of that address if it has too many; if none is idle, the new one is not let in.
    """

    def __init__(self, most: int, close: Callable[[C], object], most_of_one: int | None = None) -> None:
        self._most = most
        self._close = close
        self._most_of_one = most if most_of_one is None else most_of_one
        # With the address that each counts for. Who waits, in the order in which they began to.
        self._waiting: dict[C, str] = {}
        self._served: dict[C, str] = {}
        self._waiting_of = defaultdict[str, dict[C, None]](dict)
        self._from = Counter[str]()
        self._turned_away = 0
        self._say_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._served)

    @property
    def served(self) -> int:
        """Connections that have asked, and have no answer yet."""
        return len(self._served)

    def came(self, connection: C, address: str = "") -> bool:
        """Let a new connection in; whether there was room for it. Without an address it counts for nobody's share."""
        if address and self._from[address] >= self._most_of_one:
            room = self._make_room(
                self._waiting_of.get(address, {}), connections=self._most_of_one, address=address
            )
        elif len(self) >= self._most:
            room = self._make_room(self._waiting, connections=self._most)
        else:
            room = True
        if room:
            self._from[address] += 1
            self._wait(connection, address)
        return room

    def asked(self, connection: C) -> None:
        """Note that it has sent a whole request, and is served now."""
        if connection in self._waiting:
            self._served[connection] = self._wait_no_more(connection)

    def answered(self, connection: C) -> None:
        """Note that it was answered, and is idle again."""
        if connection in self._served:
            self._wait(connection, self._served.pop(connection))

    def left(self, connection: C) -> None:
        """Forget a connection that has ended."""
        if connection in self._waiting:
            address = self._wait_no_more(connection)
        elif connection in self._served:
            address = self._served.pop(connection)
        else:
            return
        self._from[address] -= 1
        if not self._from[address]:
            del self._from[address]

    def _wait(self, connection: C, address: str) -> None:
        self._waiting[connection] = address
        self._waiting_of[address][connection] = None

    def _wait_no_more(self, connection: C) -> str:
        address = self._waiting.pop(connection)
        del self._waiting_of[address][connection]
        if not self._waiting_of[address]:
            del self._waiting_of[address]
        return address

    def _make_room(self, waiting: Mapping[C, object], **about: object) -> bool:
        """Close the one of these that has waited longest, if any does."""
        self._count(about)
        if not waiting:
            return False
        longest = next(iter(waiting))
        self.left(longest)
        self._close(longest)
        return True

    def _count(self, about: Mapping[str, object]) -> None:
        """Count a connection that was closed; logged at once, and then once a minute."""
        self._turned_away += 1
        if time.monotonic() >= self._say_at:
            log.warning("house_full", closed=self._turned_away, **about)
            self._turned_away, self._say_at = 0, time.monotonic() + SAID_EVERY


def demand_descriptors(connections: int, setting: str) -> None:
    """Let this process open as many files as it may need, if it is allowed to. Raises TooFewDescriptors."""
    needed = connections + OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise TooFewDescriptors(
            f"{setting} asks for {needed} open files, and this process may have {hard}:"
            " raise the limit (LimitNOFILE= of systemd, `ulimit -Hn`), or lower the setting."
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
