"""What processes cost: processor time and resident memory of each with all its children, from /proc (proc(5))."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of each named process tree up to a moment."""

    at: float
    seconds: dict[str, float]

    def cores_since(self, before: Spent) -> dict[str, float]:
        """Cores used since: 1.0 is one core all the time."""
        wall = self.at - before.at
        return {name: (spent - before.seconds.get(name, 0)) / wall for name, spent in self.seconds.items()}

    def milliseconds_each(self, before: Spent, requests: int) -> dict[str, float]:
        """Processor milliseconds a request, by kind of process: `bind2` is of kind `bind`."""
        kinds: dict[str, float] = {}
        for name, spent in self.seconds.items():
            kind = name.rstrip("0123456789")
            kinds[kind] = kinds.get(kind, 0) + (spent - before.seconds.get(name, 0)) * 1e3 / max(1, requests)
        return kinds


def spent(processes: Mapping[str, int]) -> Spent:
    """Of process ids by name; several names may not share a tree."""
    return Spent(time.monotonic(), {name: sum(map(_cpu, tree(pid))) for name, pid in processes.items()})


def resident(processes: Mapping[str, int]) -> dict[str, list[float]]:
    """Megabytes resident (VmRSS) of each process of each tree, the parent first."""
    return {name: [_rss(pid) for pid in tree(pid)] for name, pid in processes.items()}


def tree(pid: int) -> list[int]:
    """A process and all below it that live now."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += map(int, _read(task).split())
    return found


def _cpu(pid: int) -> float:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    # utime, stime, and those of children that ended: fields 14 to 17, of which the name was the second.
    return sum(map(int, fields[11:15])) / _TICKS if fields else 0.0


def _rss(pid: int) -> float:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it ended meanwhile
