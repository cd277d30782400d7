"""What the processes of Roost use: threads, open connections and memory, as the kernel counts them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from localcluster.process import ServiceFailed, SupervisedProcess

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """The sum over some processes and their children; memory in MiB."""

    seconds: float
    threads: int
    sockets: int
    memory: float


def sample(seconds: float, processes: list[SupervisedProcess]) -> Sample:
    """What they use now."""
    threads = sockets = pages = 0
    for process in processes:
        with suppress(ServiceFailed, OSError):  # it may be the one that was just killed
            for pid in _family(process.pid):
                status = Path(f"/proc/{pid}")
                threads += len(list((status / "task").iterdir()))
                sockets += sum(_is_socket(link) for link in (status / "fd").iterdir())
                pages += int((status / "statm").read_text().split()[1])
    return Sample(round(seconds, 1), threads, sockets, round(pages * _PAGE / 2**20, 1))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:  # closed meanwhile
        return False
