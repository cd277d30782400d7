"""What a command works with: the settings, the database, the queues; and who asks."""

from __future__ import annotations

import os
import pwd
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from getpass import getpass
from pathlib import Path

from roost.database import Database
from roost.directory import Directory
from roost.directory.rules import BadField
from roost.errors import BrokerUnavailable, Invalid
from roost.settings import settings
from tasks.client import Client

#: Characters of a secret that are read from a file or a pipe.
_MAX_SECRET = 4096
#: The same for other files.
_MAX_FILE = 1_000_000


@contextmanager
def open_database() -> Iterator[Database]:
    """Open the database for one command. Raises SettingMissing, DatabaseUnavailable, and WrongVersion, which is one."""
    database = Database(settings().need("database_url"), size=2, name="roost-cli")
    try:
        database.reach()
        yield database
    finally:
        database.close()


@contextmanager
def open_directory() -> Iterator[Directory]:
    """Open the directory for one command. Raises SettingMissing, DatabaseUnavailable."""
    with open_database() as database:
        yield Directory(database, settings().seal_public_key)


@contextmanager
def open_client() -> Iterator[Client]:
    """Open the way to the workers. Raises SettingMissing. What nobody answers raises BrokerUnavailable, which says what to do."""
    try:
        with Client(settings()) as client:
            yield client
    except BrokerUnavailable as error:
        if error.detail:
            raise
        raise BrokerUnavailable("`roost doctor` says which, and what mends it.") from None


def database_time(client: Client) -> datetime:
    """Ask the workers for the database's time, by which requests are dated. Raises BrokerUnavailable."""
    now = client.ask_time().result().now
    if now is None:
        raise BrokerUnavailable("The workers do not reach PostgreSQL.")
    return now


def new_request_id() -> str:
    """Make an id for one request of this command line."""
    return f"cli:{uuid.uuid4()}"


def actor() -> str:
    """Who asks: the account of this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def read_secret(name: str, file: Path | None = None, *, twice: bool = True) -> str:
    """Read a secret: from a file, from the first line of a pipe, or asked for on the terminal, `twice`.

    It is never an argument: everybody on the machine can see those.
    """
    if file is not None:
        return read_file(name, file, _MAX_SECRET).removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        line = sys.stdin.readline(_MAX_SECRET).rstrip("\r\n")
        if not line:
            raise Invalid(f"The {name} is read from stdin, and there was none.")
        return line
    secret = getpass(f"{name[0].upper()}{name[1:]}: ")
    if twice and getpass("Once more: ") != secret:
        raise Invalid("The two differ.")
    return secret


def read_file(name: str, file: Path, most: int = _MAX_FILE) -> str:
    """Read a text file, `most` characters of it. Raises BadField."""
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(most)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadField(f"The file of the {name} cannot be read: {reason}.") from None
