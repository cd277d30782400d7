"""A folder in memory: PostgreSQL makes hundreds of files for each database, which costs a disk's file system several times the processor time."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")
#: Bytes that must be free: a run of three processes takes far less.
_ROOM = 4 << 30
_NAME = "roost-tests-{process}-{name}"


@contextmanager
def folder_in_memory(name: str, otherwise: Path) -> Iterator[Path]:
    """A new folder, gone at the end; `otherwise` where there is too little memory."""
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield otherwise
        return
    _remove_left_behind()
    folder = _MEMORY / _NAME.format(process=os.getpid(), name=name)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _remove_left_behind() -> None:
    """A run that was killed took nothing away."""
    for folder in _MEMORY.glob(_NAME.format(process="*", name="*")):
        process = re.match(r"roost-tests-(\d+)-", folder.name)
        if process and not Path("/proc", process[1]).exists():
            shutil.rmtree(folder, ignore_errors=True)  # it may be another user's
