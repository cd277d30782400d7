"""`.env`, which is read besides the environment: where it is, and whether all of it can be read."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

from dotenv.parser import parse_stream

from roost.errors import SettingMissing

#: Bytes it may have; a whole one has some ten thousand at most.
MAX_BYTES = 1_000_000
#: How it is read: a byte order mark, as some editors write it, is no part of the first name.
ENCODING = "utf-8-sig"


def env_file() -> Path:
    """The file that is read besides the environment: `.env` in the folder this process was started in. Raises SettingMissing."""
    try:
        return Path(".env").absolute()
    except FileNotFoundError:
        raise SettingMissing("The folder this was started in is not there any more: go to another.") from None


def check_env_file() -> None:
    """Raise SettingMissing where it is there and cannot be read whole: nothing starts with half of its settings, or waits for a pipe.

    `/dev/null` in its place is no file, on purpose.
    """
    path = env_file()
    try:
        there = path.stat()
        if stat.S_ISCHR(there.st_mode) and path.samefile(os.devnull):
            return
        if not stat.S_ISREG(there.st_mode):
            raise SettingMissing(f"{path} is {_what_it_is(there.st_mode)}; it must be a file.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise SettingMissing(
            f"{path} cannot be read: {error.strerror}. Run this as the account that the file belongs to."
        ) from None
    if len(content) > MAX_BYTES:
        raise SettingMissing(f"{path} has more than {MAX_BYTES} bytes; settings take a line each.")
    try:
        text = content.decode(ENCODING)
    except UnicodeDecodeError:
        raise SettingMissing(f"{path} is no UTF-8 text.") from None
    line = _line_not_understood(text)
    if line is not None:
        raise SettingMissing(
            f"{path}, line {line}, is no setting: write NAME=VALUE, and end what begins with a quote."
        )


def _line_not_understood(text: str) -> int | None:
    """The number of the first such line. The library that reads the settings leaves it out, and only warns."""
    for part in parse_stream(io.StringIO(text)):
        if part.error:
            read = part.original.string  # with the empty lines before it
            return int(part.original.line) + read[: len(read) - len(read.lstrip())].count("\n")
    return None


def _what_it_is(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"


def names_in(path: Path) -> list[str]:
    """Every name that an `.env` gives a value, in order, twice where it stands twice; none where there is no such file."""
    try:
        with path.open(encoding=ENCODING) as file:
            return [each.key for each in parse_stream(file) if each.key]
    except OSError:
        return []
