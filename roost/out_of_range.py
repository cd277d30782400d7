"""Times that PostgreSQL has and Python has not, such as `infinity`, are read as the last or the first one that Python can work with.

Somebody with psql may have written one: a lock without end, say. psycopg refuses to read it, and with it every list in which it stands.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import DataError
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

#: A day from both ends of what Python has: each can be told in any time zone.
FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


class _Timestamptz(Loader):
    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        loader = psycopg.adapters.get_loader(oid, Format.TEXT)
        assert loader is not None  # psycopg's own
        self._usual = loader(oid, context)

    def load(self, data: Buffer) -> datetime:
        try:
            return self._usual.load(data)  # type: ignore[no-any-return]  # of a timestamptz
        except DataError:
            text = bytes(data)
            return FIRST if text.startswith(b"-") or text.endswith(b"BC") else LAST


def read_every_time(connection: psycopg.Connection[Any]) -> None:
    """Let this connection read every time that PostgreSQL can tell."""
    connection.adapters.register_loader("timestamptz", _Timestamptz)
