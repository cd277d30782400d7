"""Changes that several nodes lack alike ("news") are read from PostgreSQL once, by the first push that needs them.

Nodes that are up to date have the same cursor, and are woken together. A push worker has one `SharedNews` for all its pushes.
"""

from __future__ import annotations

from concurrent.futures import Future
from threading import Lock

from roost.database import Connection
from roost.errors import DatabaseUnavailable
from roost.nodes.routes import BATCH, News, Scope, news_since
from roost.pbx.node import Cursor

#: How many reads are kept, and how many changes all of them may have together. So a whole batch, for a node that is far behind, is kept alone.
KEPT = 8
KEPT_CHANGES = BATCH
#: Seconds that a push waits for news that another push is reading: as long as a statement may take.
ANOTHERS_READING = 15.0

#: Lineage, version of the cursor, version of the head, and scope; None stands for the scope of a node that serves all organizations.
_Key = tuple[str, int, int, Scope | None]


class SharedNews:
    """The news that were read last. Thread-safe. `read` counts the reads from PostgreSQL."""

    def __init__(self) -> None:
        self._news: dict[_Key, Future[News]] = {}
        self._lock = Lock()
        self.read = 0

    def since(self, connection: Connection, cursor: Cursor, head: Cursor, scope: Scope) -> News:
        """What a node at this cursor lacks. While another push reads the same, it waits for that. Raises DatabaseUnavailable."""
        key = (head.lineage, cursor.version, head.version, None if scope.serves_all else scope)
        with self._lock:
            coming = self._news.get(key)
            if coming is None:
                self._make_room()
                mine = self._news[key] = Future()
                self.read += 1
        if coming is not None:
            try:
                return coming.result(ANOTHERS_READING)
            except TimeoutError:
                raise DatabaseUnavailable("The news are still being read.") from None
        try:
            mine.set_result(news_since(connection, cursor.version, head.version, scope))
        except BaseException as error:
            with self._lock:
                self._news.pop(key, None)
            mine.set_exception(DatabaseUnavailable(f"The news could not be read: {type(error).__name__}."))
            raise
        return mine.result()

    def _make_room(self) -> None:
        """Forget the oldest, until another one fits."""
        changes = 0
        for place, (key, news) in enumerate(reversed(list(self._news.items())), 2):
            changes += len(news.result().changes) if news.done() else 0
            if place > KEPT or changes > KEPT_CHANGES:
                del self._news[key]
