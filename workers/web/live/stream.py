"""Server-sent events: how they are written, and the bounded queue between the hub and one viewer.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from roost.people.revocation import Credential

#: Seconds of silence after which a comment keeps proxies from closing the connection.
KEEP_ALIVE = 15.0
#: Messages that may wait for one viewer; one that falls further behind is cut off, and starts anew.
MAX_WAITING = 64
_LINE_BREAK = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Watching:
    """Who watches, and from where: a network address, of IPv6 the /64 of its network."""

    credential: Credential
    address: str


class Viewer:
    """One open stream."""

    def __init__(self, who: Watching) -> None:
        self.who = who
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(MAX_WAITING)
        self._ended = False

    def tell(self, message: str) -> None:
        """Send a message, soon."""
        if self._ended:
            return
        if self._queue.qsize() >= MAX_WAITING - 1:
            self.end()
        else:
            self._queue.put_nowait(message)

    def end(self) -> None:
        """Close the stream after what was told."""
        if not self._ended:
            self._ended = True
            self._queue.put_nowait(None)

    def cut_off(self) -> None:
        """Close the stream at once; what was told and not sent is dropped."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._ended = True
        self._queue.put_nowait(None)

    async def messages(self, lifetime: float) -> AsyncIterator[str]:
        """What was told, with comments in between, until the end or for so many seconds."""
        clock = asyncio.get_running_loop().time
        ends = clock() + lifetime
        yield "retry: 1000\n\n"
        while (left := ends - clock()) > 0:
            try:
                message = await asyncio.wait_for(self._queue.get(), min(left, KEEP_ALIVE))
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if message is None:
                return
            yield message


def event(name: str, data: str, id_: str | None = None) -> str:
    """Write one event; data may have several lines. Other line breaks than the format's, such as U+2028 in a name, are data."""
    lines = [f"data: {line}" for line in _LINE_BREAK.split(data)]
    head = [f"event: {name}"] + ([f"id: {id_}"] if id_ is not None else [])
    return "\n".join([*head, *lines, "", ""])
