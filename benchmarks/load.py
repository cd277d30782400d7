"""Caller processes, and what they measured together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.caller import Result
from localcluster import guardian


@dataclass(frozen=True, slots=True)
class Load:
    """One run: answered requests a second, latencies in milliseconds in order, counts of outcomes."""

    per_second: float
    latencies: list[float]
    outcomes: dict[str, int]

    def latency(self, quantile: float) -> float:
        """In milliseconds; `quantile` from 0 to 1."""
        return at_quantile(self.latencies, quantile)


#: What each kind of request comes to when all is well.
_OUTCOMES = {
    "noop": {"noted"},
    "bind": {"virtualized"},
    "verify": {"virtualized"},
    "wrong_code": {"wrong_code"},
}


def at_quantile(ordered: list[float], quantile: float) -> float:
    """Of values in order."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * quantile))]


class CallerProcesses:
    """`count` processes with a client each; the movers are shared out among them once and for all. They start with the first run."""

    def __init__(self, environment: Mapping[str, str], folder: Path, movers: int, count: int = 2) -> None:
        self._environment, self._folder = dict(environment), folder
        self._count, self._share = count, movers // count
        self._processes: list[subprocess.Popen[str]] = []

    def _start(self) -> None:
        for n in range(self._count):
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.caller"], env=self._environment, cwd=self._folder, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(self._folder / f"caller{n}.log").open("w"),
                start_new_session=True,
            )  # fmt: skip
            guardian.watch(process.pid)
            self._processes.append(process)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name, of those that started."""
        return {f"caller{n}": process.pid for n, process in enumerate(self._processes)}

    def run(self, kind: str, *, callers: int, seconds: float) -> Load:
        """`callers` at once, spread over the processes; one caller uses one process."""
        if not self._processes:
            self._start()
        share, rest = divmod(callers, len(self._processes))
        each = [share + (n < rest) for n in range(len(self._processes))]
        used = [(n, process, each[n]) for n, process in enumerate(self._processes) if each[n]]
        for n, process, some in used:
            job = {
                "kind": kind, "callers": some, "seconds": seconds,
                "first": n * self._share, "last": (n + 1) * self._share,
            }  # fmt: skip
            assert process.stdin is not None  # a pipe
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        results = [_result(process) for _, process, _ in used]
        outcomes: Counter[str] = Counter()
        for result in results:
            outcomes.update(result.outcomes)
        if not set(outcomes) <= _OUTCOMES[kind]:
            raise RuntimeError(f"{kind}: {dict(outcomes)}; what was not done is no throughput")
        return Load(
            per_second=sum(len(result.latencies) / result.seconds for result in results),
            latencies=sorted(latency for result in results for latency in result.latencies),
            outcomes=dict(outcomes),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            assert process.stdin is not None  # a pipe
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=5)
            guardian.release(process.pid)


def _result(process: subprocess.Popen[str]) -> Result:
    assert process.stdout is not None  # a pipe
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a caller process ended with {process.wait(timeout=10)}; see its log")
    return Result(**json.loads(line))
