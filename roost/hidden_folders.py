"""Folders that the units of `roost setup` hide from their process: a file there is read from a shell, and is not there for the unit."""

from __future__ import annotations

from pathlib import Path

#: By ProtectHome=yes, unless Roost's own folder is in one of them.
HOMES = ("/home/", "/root/", "/run/user/")
#: By PrivateTmp=yes: each unit has its own.
_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108 - nothing is put there
#: What to do about a file that a process cannot read.
HOW_TO_SHOW = (
    "put it beside .env for the account to read; a unit of systemd sees nothing of /tmp, /home and /root"
)


def is_at_home(path: Path) -> bool:
    """Whether the path is in somebody's home."""
    return str(path).startswith(HOMES)


def is_hidden(file: Path, folder: Path) -> bool:
    """Whether a unit of systemd whose settings are in `folder` finds no such file, though it is there."""
    there = file if file.is_absolute() else folder / file
    return str(there).startswith(_TEMPORARY) or (is_at_home(there) and not is_at_home(folder))
