"""How much is measured: runs of a ratio, and seconds of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Effort:
    """A ratio is the median of `runs`, each of `seconds`; `extensions` fill the large tables.

    `large_organization` is how many desks one has; `calls` are held at once, and a person in a call takes `hold` seconds to listen or to key.
    `journal` is how many entries a long one has, `people` how many change shift. A run whose ratio should be about one takes `steady` seconds.
    """

    runs: int
    seconds: float
    resync_extensions: int
    many_extensions: int
    missed_moves: int
    calls: int
    hold: float
    large_organization: int
    journal: int
    steady: float
    people: int


FULL = Effort(5, 4, 100_000, 1_000_000, 100_000, 1_020, 10, 100_000, 1_000_000, 8, 10_000)
QUICK = Effort(1, 2, 100_000, 100_000, 10_000, 1_000, 10, 20_000, 200_000, 8, 400)
#: Shows that everything runs; its figures mean nothing.
TINY = Effort(1, 0.3, 1_000, 2_000, 2_000, 20, 0.05, 1_200, 2_000, 0.5, 40)


def repeat(runs: int, measure: Callable[[], float]) -> tuple[float, list[float]]:
    """The median of some runs, and the runs."""
    values = [measure() for _ in range(runs)]
    return median(values), values


def middle(values: Sequence[float]) -> float:
    """The median; 0 of nothing."""
    return median(values) if values else 0.0
