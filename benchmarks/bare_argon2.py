"""argon2id alone, as the verify worker does it: on every core at once, and once on a quiet one."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Self

from benchmarks.world import CODE
from roost.moves.secret_codes import code_matches, hash_code

_PEPPER = "benchmark"


class Hashers:
    """One process a core. Use as a context manager; the processes are warm when it is entered."""

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1
        self._pool = ProcessPoolExecutor(self._cores, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Self:
        list(self._pool.map(_compare_for, [0.2] * self._cores))
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def per_second(self, seconds: float) -> float:
        """Codes compared a second on all cores."""
        return sum(
            1e3 * len(times) / sum(times) for times in self._pool.map(_compare_for, [seconds] * self._cores)
        )


def one_at_a_time(seconds: float) -> list[float]:
    """Milliseconds of each comparison on one core; in order."""
    return sorted(_compare_for(seconds))


def _compare_for(seconds: float) -> list[float]:
    stored = hash_code(_PEPPER, CODE)
    times: list[float] = []
    ends = time.perf_counter() + seconds
    while not times or time.perf_counter() < ends:
        began = time.perf_counter()
        code_matches(_PEPPER, stored, CODE)
        times.append((time.perf_counter() - began) * 1e3)
    return times
