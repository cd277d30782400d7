"""AstDB as Asterisk keeps it: acknowledged at once, committed about once a second.

A crash loses what was not committed. With a file the committed part outlives the process. A tree is looked for by SQLite, with the statement
of `main/db.c`: it compares every key, in the time that Asterisk's takes, where Python's own work on each key took twice as long.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

#: Seconds between two commits, as `db_sync_thread` of Asterisk's `main/db.c` sleeps.
COMMIT_EVERY = 1.0
#: What Asterisk prepares as `gettree_stmt`.
_FIND = "SELECT key FROM astdb WHERE key || '/' LIKE CAST(? AS TEXT) || '/' || '%' ORDER BY key"
_ADD, _REMOVE = (
    "INSERT OR IGNORE INTO astdb VALUES (CAST(? AS TEXT))",
    "DELETE FROM astdb WHERE key = CAST(? AS TEXT)",
)


class Store:
    """The keys and values of one node; keys are whole, such as `/roost/cursor`."""

    def __init__(self, file: Path | None = None) -> None:
        self._table: dict[str, str] = {}
        #: The keys once more, as they are searched.
        self._keys = sqlite3.connect(":memory:", isolation_level=None)
        self._keys.text_factory = bytes
        for statement in (
            "PRAGMA journal_mode = OFF",
            "CREATE TABLE astdb (key TEXT PRIMARY KEY) WITHOUT ROWID",
            "BEGIN",
        ):
            self._keys.execute(statement)
        #: What each key had at the last commit, for the keys written since; None: it was not there.
        self._before: dict[str, str | None] = {}
        self._committed_at = 0.0
        self._file: sqlite3.Connection | None = None
        if file is not None:
            self._file = sqlite3.connect(file, isolation_level=None)
            # The kernel keeps what a killed process wrote; only a crash of the machine could lose it.
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute("CREATE TABLE IF NOT EXISTS astdb (key BLOB PRIMARY KEY, value BLOB)")
            rows = self._file.execute("SELECT key, value FROM astdb")
            self._table = {_text(key): _text(value) for key, value in rows}
            self._keys.executemany(_ADD, ((_bytes(key),) for key in self._table))

    def __len__(self) -> int:
        return len(self._table)

    def get(self, key: str) -> str | None:
        """A value; None when there is none."""
        return self._table.get(key)

    def put(self, key: str, value: str) -> None:
        """Write a value."""
        before = self._table.get(key)
        if key not in self._before:
            self._before[key] = before
        if before is None:
            self._keys.execute(_ADD, (_bytes(key),))
        self._table[key] = value

    def delete(self, key: str) -> bool:
        """Remove a key; whether it was there."""
        if key not in self._table:
            return False
        self._before.setdefault(key, self._table[key])
        self._keys.execute(_REMOVE, (_bytes(key),))
        del self._table[key]
        return True

    def tree(self, prefix: str) -> list[tuple[str, str]]:
        """Entries below a prefix, by key, found as SQL LIKE does: case is ignored, `_` and `%` are wild."""
        if not prefix:
            return sorted(self._table.items())
        found = self._keys.execute(_FIND, (_bytes(prefix),))
        return [(key, self._table[key]) for key in (_text(row[0]) for row in found)]

    def delete_tree(self, prefix: str) -> int:
        """Remove the entries below a prefix; how many there were."""
        return sum(self.delete(key) for key, _ in self.tree(prefix))

    @property
    def commit_due_in(self) -> float | None:
        """Seconds until the next commit; None when there is nothing to commit."""
        if not self._before:
            return None
        return max(0.0, self._committed_at + COMMIT_EVERY - time.monotonic())

    def commit(self) -> None:
        """Make what was written since the last commit outlive a crash."""
        if self._file is not None:
            self._file.execute("BEGIN")
            self._file.executemany(
                "REPLACE INTO astdb (key, value) VALUES (?, ?)",
                ((_bytes(key), _bytes(self._table[key])) for key in self._before if key in self._table),
            )
            self._file.executemany("DELETE FROM astdb WHERE key = ?", self._removed())
            self._file.execute("COMMIT")
        self._before.clear()
        self._committed_at = time.monotonic()

    def crash(self) -> None:
        """Lose what was not committed."""
        for key, value in self._before.items():
            if value is None:
                self._table.pop(key, None)
                self._keys.execute(_REMOVE, (_bytes(key),))
            else:
                self._table[key] = value
                self._keys.execute(_ADD, (_bytes(key),))
        self._before.clear()

    def clear(self) -> None:
        """Lose everything, as when the database file is deleted: at once, however much it is."""
        self._table.clear()
        self._before.clear()
        for database in (self._keys, self._file):
            if database is not None:
                database.execute("DELETE FROM astdb")

    def _removed(self) -> Iterable[tuple[bytes]]:
        return ((_bytes(key),) for key in self._before if key not in self._table)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
