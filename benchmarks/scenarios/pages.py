"""Pages and API reads a second, beside a bare route that reads one row: same PostgreSQL, pool, server and client."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from typing import Self

import psycopg

from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.reader import ReadJob, ReadResult
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.usage import resident, spent
from benchmarks.world import ORGANIZATION
from localcluster import guardian, ports
from roost.database import Database
from roost.people.access import Right
from roost.people.person import People, Role
from roost.people.sessions import Sessions
from roost.people.tokens import Tokens

#: An ordinary organization, all of it on one page of desks.
_DESKS = 51
_READERS = 8
_PASSWORD = "only for the benchmark"
_OWNER = f"{ORGANIZATION}*0000003"

#: A path and the header line that goes with it.
Ask = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Doors:
    """What is read: one page after the other, one API path after the other, the bare route."""

    pages: dict[str, Ask]
    api: dict[str, Ask]
    bare: Ask


class ReaderProcess:
    """A process with many connections."""

    def __init__(self, stage: Stage) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.reader"], env=stage.environment, cwd=stage.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(stage.folder / "reader.log").open("w"),
            start_new_session=True,
        )  # fmt: skip
        guardian.watch(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None  # a pipe
        self._process.stdin.close()
        self._process.wait(timeout=30)
        guardian.release(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def read(self, port: int, asks: list[Ask], seconds: float) -> ReadResult:
        """Read for a while. Raises RuntimeError for an answer that is no 200: what is refused is no throughput."""
        job = {"port": port, "asks": asks, "readers": _READERS, "seconds": seconds}
        ReadJob(**job)  # type: ignore[arg-type]  # a spelling mistake shows here, not in the other process
        assert self._process.stdin is not None  # pipes
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the reading process ended; see its log")
        result = ReadResult(**json.loads(line))
        if result.refused:
            raise RuntimeError(f"{asks[0][0]}: {result.refused}")
        return result


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """The three take turns within a run; then each page and API path alone, once."""
    bare_port = ports.free_port()
    counts = {"web": 1, "verify": 0, "center": 0}
    stage = Stage(rig, "pages", extensions=_DESKS, simulated=2, counts=counts, caller_processes=1)
    stage.add_process("bare", "benchmarks.bare_web", "--port", str(bare_port))
    results: dict[str, list[ReadResult]] = {"bare": [], "api": [], "page": []}
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in results}
    with stage:
        stage.use(["s000", "s001"])
        stage.callers.run("bind", callers=4, seconds=effort.seconds)  # a journal, and people who are away
        stage.settle()
        doors, web_port = _open_doors(stage), stage.product.web_ports[0]
        groups = {
            "bare": (bare_port, [doors.bare]),
            "api": (web_port, list(doors.api.values())),
            "page": (web_port, list(doors.pages.values())),
        }
        with ReaderProcess(stage) as reader:
            processes = stage.processes | {"reader": reader.pid}
            for port, asks in groups.values():
                reader.read(port, asks, effort.seconds / 2)  # warm
            for _ in range(effort.runs):
                for name, (port, asks) in groups.items():
                    before = spent(processes)
                    result = reader.read(port, asks, effort.seconds)
                    costs[name].append(spent(processes).milliseconds_each(before, len(result.latencies)))
                    results[name].append(result)
            alone = {
                name: reader.read(web_port, [ask], effort.seconds / 2)
                for name, ask in {**doors.pages, **doors.api}.items()
            }
            with changing(stage):
                for name in list(doors.pages)[:2]:
                    found = reader.read(web_port, [doors.pages[name]], effort.seconds / 2)
                    alone[f"{name}, which change all the time"] = found
        report.figure("resident: a web process", sum(resident(stage.processes)["web1"]), "MB")
    _report(report, results, costs, alone)


@contextmanager
def changing(stage: Stage) -> Iterator[None]:
    """The owner's name changes again and again: a page that shows it is made anew nearly each time."""
    over = threading.Event()

    def change() -> None:
        with psycopg.connect(stage.url, autocommit=True) as connection:
            while not over.wait(0.002):
                connection.execute(
                    "UPDATE extension SET name = gen_random_uuid()::text WHERE number = '0000003'"
                )

    changer = threading.Thread(target=change)
    changer.start()
    try:
        yield
    finally:
        over.set()
        changer.join()


def _open_doors(stage: Stage) -> Doors:
    """People and a token, and what they read."""
    with closing(Database(stage.url, size=1)) as database:
        people, sessions = People(database), Sessions(database, stage.settings)
        people.add("owner", _PASSWORD, Role.OWNER, extension=_OWNER)
        people.add("administrator", _PASSWORD, Role.ADMINISTRATOR, organization=ORGANIZATION)
        people.add("operator", _PASSWORD, Role.OPERATOR)
        _, token = Tokens(database).add("bench", Right.READ, ORGANIZATION)

        def cookie(login: str) -> str:
            return f"Cookie: roost={sessions.sign_in(login, _PASSWORD, '127.0.0.1').secret}"

        owner, administrator, operator = cookie("owner"), cookie("administrator"), cookie("operator")
    bearer = f"Authorization: Bearer {token}"
    return Doors(
        pages={
            "page: an owner's extension": (f"/extensions/{_OWNER}", owner),
            f"page: {_DESKS} desks": (f"/organizations/{ORGANIZATION}", administrator),
            "page: journal, 50 entries": (f"/organizations/{ORGANIZATION}/journal", administrator),
            "page: cluster": ("/cluster", operator),
        },
        api={
            "API: an extension": (f"/api/v1/extensions/{_OWNER}", bearer),
            "API: where it rings": (f"/api/v1/extensions/{_OWNER}/whereabouts", bearer),
            "API: a phone": ("/api/v1/phones/p0000003", bearer),
            "API: its organization": (f"/api/v1/organizations/{ORGANIZATION}", bearer),
        },
        bare=("/people/1", "Accept: application/json"),
    )


def _report(
    report: Report, results: dict[str, list[ReadResult]], costs: dict[str, list[dict[str, float]]],
    alone: dict[str, ReadResult],
) -> None:  # fmt: skip
    rates = {name: [_rate(run) for run in runs] for name, runs in results.items()}
    base, base_p99 = median(rates["bare"]), median(_quantile(run, 0.99) for run in results["bare"])
    for name, key in (("api", "api_reads_vs_bare"), ("page", "page_reads_vs_bare")):
        ratios = [rate / bare for rate, bare in zip(rates[name], rates["bare"], strict=True)]
        report.ratio(key, median(ratios), ratios)
    for name, words in (("bare", "the bare route"), ("api", "API reads in turn"), ("page", "pages in turn")):
        report.figure(f"{words}, {_READERS} connections", median(rates[name]), "/s", base, "bare /s")
        p99 = median(_quantile(run, 0.99) for run in results[name])
        report.figure("  p99", p99, "ms", base_p99, "bare p99 ms")
        for kind in ("web", "bare", "postgres", "rabbitmq"):
            cost = median(each.get(kind, 0) for each in costs[name])
            if cost >= 0.02:
                report.figure(f"  processor time: {kind}", cost, "ms")
    for name, result in alone.items():
        report.figure(name, _rate(result), "/s", base, "bare /s")
        report.figure("  p99", _quantile(result, 0.99), "ms", base_p99, "bare p99 ms")
        report.figure("  size", result.received / len(result.latencies) / 1024, "KB")


def _rate(result: ReadResult) -> float:
    return len(result.latencies) / result.seconds


def _quantile(result: ReadResult, quantile: float) -> float:
    return at_quantile(sorted(result.latencies), quantile)
