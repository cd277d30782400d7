"""What the processes of Roost use: threads, open connections and memory, as the kernel counts them; and what grows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from localcluster.process import ServiceFailed, SupervisedProcess

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: A shorter run says nothing about growth: pools fill, and the allocator keeps what it was given. Seconds.
LONG = 300.0
_LEAST_SAMPLES = 6
#: More than this share, and more than so many, is growth; less is chance.
_SHARE = 0.1
_CHANCE = {"threads": 2.0, "sockets": 3.0, "memory": 5.0}


@dataclass(frozen=True, slots=True)
class Used:
    """What one process and its children use; memory in MiB."""

    pid: int
    threads: int
    sockets: int
    memory: float


@dataclass(frozen=True, slots=True)
class Sample:
    """All processes at one moment, by name, and their sum; `load` is how many wanted a processor in the last minute."""

    seconds: float
    load: float
    threads: int
    sockets: int
    memory: float
    processes: dict[str, Used] = field(default_factory=dict, repr=False)


def sample(seconds: float, processes: Mapping[str, SupervisedProcess]) -> Sample:
    """What they use now; a process that was just killed is left out."""
    used: dict[str, Used] = {}
    for name, process in processes.items():
        with suppress(ServiceFailed, OSError):
            used[name] = _used(process.pid)
    return Sample(
        round(seconds, 1),
        round(os.getloadavg()[0], 1),
        sum(one.threads for one in used.values()),
        sum(one.sockets for one in used.values()),
        round(sum(one.memory for one in used.values()), 1),
        used,
    )


def grown(curve: Sequence[Sample]) -> list[str]:
    """What a process has more of in the last third of a long run than in the middle third, in words.

    The first third is its time to warm up. Processes that were started anew since then are not judged.
    """
    if len(curve) < _LEAST_SAMPLES or curve[-1].seconds - curve[0].seconds < LONG:
        return []
    third = len(curve) // 3
    middle, last = curve[-2 * third : -third], curve[-third:]
    found = []
    for name, now in last[-1].processes.items():
        if any(
            name not in each.processes or each.processes[name].pid != now.pid for each in (*middle, *last)
        ):
            continue
        for what, chance in _CHANCE.items():
            was = median(getattr(each.processes[name], what) for each in middle)
            became = median(getattr(each.processes[name], what) for each in last)
            if became - was > max(chance, _SHARE * was):
                found.append(f"{name}: {what} grew from {was:g} to {became:g}")
    return found


def _used(pid: int) -> Used:
    threads = sockets = pages = 0
    for each in _family(pid):
        status = Path(f"/proc/{each}")
        threads += len(list((status / "task").iterdir()))
        sockets += sum(_is_socket(link) for link in (status / "fd").iterdir())
        pages += int((status / "statm").read_text().split()[1])
    return Used(pid, threads, sockets, round(pages * _PAGE / 2**20, 1))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:  # closed meanwhile
        return False
