"""A folder in memory: PostgreSQL makes hundreds of files for each database, which costs a disk's file system several times the processor time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")
#: Bytes that must be free: a run of three processes takes far less.
_ROOM = 4 << 30
#: Before the process that made it.
_PREFIX = "roost-tests-"


@contextmanager
def folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """A new folder, gone at the end; `otherwise` where there is too little memory."""
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield otherwise
        return
    _remove_left_behind()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY) as folder:
        yield Path(folder)


def _remove_left_behind() -> None:
    """A run that was killed took nothing away."""
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", process).exists():
            shutil.rmtree(folder, ignore_errors=True)  # it may be another user's
