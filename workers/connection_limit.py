"""How many connections one process has at most. When there are as many, an idle one is closed to make room for a new one."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
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
    """The connections of a process, `most` of them. `close` ends one that has to make room. Used on the event loop only.

    A connection is idle until it has sent a whole request, and again after the answer. When there is no room, the one that was idle for the longest
    time is closed; if none is idle, the new one is not let in.
    """

    def __init__(self, most: int, close: Callable[[C], object]) -> None:
        self._most = most
        self._close = close
        self._waiting: dict[C, None] = {}  # in the order in which they began to wait
        self._served: set[C] = set()
        self._turned_away = 0
        self._say_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._served)

    @property
    def served(self) -> int:
        """Connections that have asked, and have no answer yet."""
        return len(self._served)

    def came(self, connection: C) -> bool:
        """Let a new connection in; whether there was room for it."""
        if len(self) >= self._most:
            self._count()
            if not self._waiting:
                return False
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            self._close(longest)
        self._waiting[connection] = None
        return True

    def asked(self, connection: C) -> None:
        """Note that it has sent a whole request, and is served now."""
        if connection in self._waiting:
            del self._waiting[connection]
            self._served.add(connection)

    def answered(self, connection: C) -> None:
        """Note that it was answered, and is idle again."""
        if connection in self._served:
            self._served.discard(connection)
            self._waiting[connection] = None

    def left(self, connection: C) -> None:
        """Forget a connection that has ended."""
        self._waiting.pop(connection, None)
        self._served.discard(connection)

    def _count(self) -> None:
        """Count a connection that was closed; logged at once, and then once a minute."""
        self._turned_away += 1
        if time.monotonic() >= self._say_at:
            log.warning("house_full", connections=self._most, closed=self._turned_away)
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
