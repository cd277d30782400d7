"""A standby of a private PostgreSQL server: a copy that follows it, synchronously when asked, until it is promoted."""

from __future__ import annotations

from pathlib import Path

import psycopg

from localcluster.postgres import Postgres
from localcluster.process import wait_until

_FOLLOWS_WITHIN = 20.0


class Standby(Postgres):
    """Made from a running primary at the first `start`; it has the same password."""

    def __init__(self, folder: Path, primary: Postgres, *, options: dict[str, str] | None = None) -> None:
        super().__init__(folder, options=options)
        self._primary = primary

    def start(self) -> None:
        """Copy the primary if there is no copy yet, and follow it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keep_password(self._primary)
        super().start()

    def wait_for_each_commit(self) -> None:
        """From now on the primary acknowledges a commit only when the standby has it."""
        with psycopg.connect(self._primary.url(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            wait_until(
                lambda: connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall() == [("sync",)],
                _FOLLOWS_WITHIN, "the standby follows synchronously",
            )  # fmt: skip

    def promote(self) -> None:
        """Become the primary, on a timeline of its own."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def _initialize(self) -> None:
        self._data.mkdir(mode=0o700, exist_ok=True)
        self._account.give(self._data)
        self._program(
            "pg_basebackup", f"--pgdata={self._data}", "--write-recovery-conf", "--checkpoint=fast",
            f"--dbname={self._primary.url()}",
        )  # fmt: skip
