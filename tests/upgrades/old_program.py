"""A program of release 0.1.0: its statements, word for word, over connections such as it makes, tried again as it does."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from psycopg import errors as pg

T = TypeVar("T")
RELEASE = Path(__file__).with_name("0.1.0")

_OPTIONS = (
    "-c lock_timeout=3000 -c statement_timeout=15000 -c plan_cache_mode=force_generic_plan -c jit=off"
    " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
    " -c idle_in_transaction_session_timeout=10000"
)
_ASKED = "ROW(%(request_id)s, %(made_at)s, %(expires_at)s, %(origin)s, %(actor)s, %(operation)s, %(reason)s)::asked"


@cache
def query(name: str) -> str:
    """A statement of 0.1.0."""
    return (RELEASE / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def init_database(url: str) -> None:
    """What `roost db init` of 0.1.0 does."""
    with psycopg.connect(url) as connection:
        connection.execute((RELEASE / "schema.sql").read_bytes())
        _replace_functions(connection)


def upgrade_database(url: str) -> None:
    """What `roost db upgrade` of 0.1.0 does: it is at version 1, and replaces its functions."""
    with psycopg.connect(url) as connection:
        _replace_functions(connection)


def check_schema(url: str) -> None:
    """What 0.1.0 asks before it says that a worker is well, and after `roost db upgrade`."""
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT max(version) FROM roost_schema").fetchone() == (1,)


def _replace_functions(connection: psycopg.Connection[Any]) -> None:
    for file in sorted((RELEASE / "functions").iterdir()):
        connection.execute(file.read_bytes())


class OldProgram:
    """One thread of a bind, verify or push worker, with a connection of its own. Phones and extensions are of organization 0001."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, options=_OPTIONS)
        #: What the simulated node `n1` was told, by key, and how far it is.
        self.told: dict[str, str | None] = {}
        self.cursor = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def dial(self, request_id: str, phone: str, number: str) -> str:
        """`*30<number>` is dialled."""
        more = {"phone": phone, "number": number}
        return self._ask("dial", request_id, "virtualize" if number else "return", more)

    def key(self, request_id: str, phone: str, number: str, call: str, *, right: bool) -> str:
        """A code is keyed. Whether it is right was found out between the two statements, outside PostgreSQL."""
        told = {"request_id": request_id, "phone": phone, "number": number}
        (compared,) = self._persist(lambda: self._row(query("read_code_hash"), told))
        more = {
            "phone": phone,
            "number": number,
            "call": call,
            "compared": compared,
            "right": right,
            "tries": 3,
        }
        return self._ask("judge_try", request_id, "virtualize", more)

    def virtualize(self, request_id: str, phone: str, number: str, call: str) -> str:
        """The extension moves, by the proof of its code."""
        more = {"phone": phone, "number": number, "organization": None, "call": call, "proof_lifetime": 10.0}
        return self._ask("virtualize", request_id, "virtualize", more)

    def return_home(self, request_id: str, number: str) -> str:
        """The extension comes home, by its administrator."""
        more = {"organization": "0001", "number": number, "only_phone": None, "only_since": None}
        return self._ask("return_home", request_id, "return", more, origin="cli")

    def set_code(self, request_id: str, number: str, code_hash: str | None) -> str:
        """The extension is given another secret code, or none."""
        more = {"organization": "0001", "number": number, "code_hash": code_hash}
        return self._ask("set_code", request_id, "set_code", more, origin="cli")

    def announce(self) -> None:
        """Number what changed."""
        self._persist(lambda: self._row(query("announce"), {"unseen_for": None}))

    def push(self, seconds: float = 0) -> None:
        """Tell the node what changed; it takes so many seconds for it, while its row is held."""
        with self._connection.transaction():
            taken = self._connection.execute(
                query("take_node"), {"node": "n1", "now_please": False, "audit_every": 1e9}
            ).fetchone()
            if taken is None or not taken[11]:
                return
            node_id, version = taken[0], taken[14]
            scope = {"node_id": node_id, "serves_all": True, "version": self.cursor}
            for row in self._connection.execute(query("list_news"), scope).fetchall():
                self.told[row[0]] = row[4] if row[0].startswith("e/") else row[6]
            self._connection.execute("SELECT pg_sleep(%s)", (seconds,))
            self.cursor = version
            self._connection.execute(query("mark_node_applied"), {"node_id": node_id, "version": version})

    def look(self) -> int:
        """What a page shows; the number of desks."""
        page = {"organization": "0001", "search": None, "numbers": None, "skip": 0, "limit": 200}
        return len(self._connection.execute(query("list_desks"), page).fetchall())

    def _ask(
        self, function: str, request_id: str, operation: str, more: dict[str, Any], *, origin: str = "call"
    ) -> str:
        """Settle a request; its outcome."""
        (now,) = self._row("SELECT clock_timestamp()", {})
        asked = {
            "request_id": request_id, "made_at": now, "expires_at": now + timedelta(seconds=10), "origin": origin,
            "actor": "", "operation": operation, "reason": "",
        }  # fmt: skip
        places = ", ".join((_ASKED, *(f"%({name})s" for name in more)))
        statement = f"SELECT * FROM {function}({places})"
        return str(self._persist(lambda: self._row(statement, asked | more))[0])

    def _row(self, statement: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
        row = self._connection.execute(statement, parameters).fetchone()
        assert row is not None
        return row

    @staticmethod
    def _persist(work: Callable[[], T]) -> T:
        """Eight tries, as in 0.1.0."""
        for attempt in range(7):
            try:
                return work()
            except (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable):
                time.sleep(random.uniform(0, 0.005 * 2**attempt))
        return work()
