"""One large organization: imported, listed, shown by parts and searches, and removed while people of another move; audited and watched while its own do."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from statistics import median
from typing import Any

import psycopg

from benchmarks import large_audit, large_journal, large_live
from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import TOP, Rig, Stage
from roost.database import Database
from roost.directory import Directory
from roost.directory.importing import import_desks
from roost.directory.organization_steps import take_steps
from roost.pbx.kinds import default_kind
from roost.schema import init_database
from roost.version import use_functions
from roost.views.desks import PART, DeskCounts, read_desks

_LARGE, _SMALL = "0001", "0002"
_HEADER = "organization,number,name,allows_virtualization,phone,node\n"
#: Seconds between two moves meanwhile.
_PACE = 0.05
#: The page has them already (workers/web/live/desk_counts.py).
_KNOWN = DeskCounts(1, 0, 0, 0)
#: What finds some desks, one in nine, all, and none.
_SEARCHES = ("", "00009", "0", "person 77", "person 7", "p", "desk-0001-00007", "desk", "nobody")
_MOVE = (
    "UPDATE phone SET guest_id = CASE WHEN guest_id IS NULL THEN (SELECT id FROM extension e WHERE e.number = '000002'"
    " AND e.organization_id = phone.organization_id) END, guest_since = CASE WHEN guest_id IS NULL THEN now() END"
    " WHERE name = 'desk-0002-000001'"
)


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """What concerns the database alone, then the same size in a running cluster."""
    _measure_directory(rig, effort, report)
    large_journal.measure(rig, effort.journal, report)
    with Stage(
        rig, "large", extensions=effort.large_organization, simulated=3, counts={"verify": 0, "center": 0, "web": 1}
    ) as stage:  # fmt: skip
        large_audit.measure(stage, effort.steady, report)
        large_live.measure(stage, effort.steady, report)


def _measure_directory(rig: Rig, effort: Effort, report: Report) -> None:
    """The same rows are imported and, beside that, copied into a database with the same constraints and triggers."""
    many = effort.large_organization
    url, beside = _fresh(rig, "size"), _fresh(rig, "size_copied")
    with closing(Database(url, size=4)) as database:
        imported = _timed(lambda: import_desks(database, io.BytesIO(_file(_LARGE, many))))
        copied = _timed(lambda: _copy(beside, many))
        report.ratio("import_100k", copied / imported)
        report.figure(f"desks imported of {many:,}", many / imported, "/s", many / copied, "COPY /s")
        rig.postgres.drop_database("bench_size_copied")
        import_desks(database, io.BytesIO(_file(_SMALL, 100)))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        _read(database, effort, report)
        _list(url, many, report)
        with _moving(url) as moves:
            removed = _timed(lambda: _remove(database))
        report.ratio("remove_100k.seconds", removed)
        report.ratio("remove_100k.worst_move", max(moves))
        report.figure(
            f"moves of another organization while {many:,} desks are removed",
            median(moves),
            "ms",
            max(moves),
            "worst ms",
        )
    rig.postgres.drop_database("bench_size")


def _read(database: Database, effort: Effort, report: Report) -> None:
    """The first and the last part of the desks, and searches, in turn with the whole page of the small organization. A part has twice as many desks."""
    behind = f"{effort.large_organization - PART:06}"
    shown: dict[str, dict[str, Any]] = {f"'{search}'": {"search": search} for search in _SEARCHES}
    shown["the last part"] = {"behind": behind}
    took: dict[str, list[float]] = {name: [] for name in shown}
    small: list[float] = []
    for _ in range(max(9, 3 * effort.runs)):
        for name, asked in shown.items():
            took[name].append(_timed(partial(read_desks, database, _LARGE, counts=_KNOWN, **asked)))
            small.append(_timed(partial(read_desks, database, _SMALL, counts=_KNOWN)))
    large = {name: median(seconds) for name, seconds in took.items()}
    worst = max(large, key=large.__getitem__)
    report.ratio("desks_100k_vs_100", median(large.values()) / median(small))
    report.ratio("desks_100k_worst", large[worst] / (2 * median(small)))
    for name in ("''", worst):
        report.figure(
            f"desks found by {name}", large[name] * 1e3, "ms", median(small) * 1e3, "of 100 desks, ms"
        )


def _list(url: str, many: int, report: Report) -> None:
    environment = {**os.environ, "ROOST_DATABASE_URL": url, "PYTHONPATH": str(TOP)}
    command = [sys.executable, "-m", "workers.cli.main", "extension", "list", "--limit", str(many), "--json"]
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=TOP
    ) as listing:
        assert listing.stdout is not None  # it is a pipe
        first, lines = 0.0, 0
        for _ in listing.stdout:
            lines += 1
            first = first or time.perf_counter()
        last = time.perf_counter()
        _, status, used = os.wait4(listing.pid, 0)
        listing.returncode = os.waitstatus_to_exitcode(status)
    assert listing.returncode == 0
    report.ratio("list_100k.rate", lines / (last - first))
    report.ratio("list_100k.rss", used.ru_maxrss / 1024)
    report.figure("  until the first line", first - began, "s")


def _remove(database: Database) -> None:
    Directory(database).begin_removal(_LARGE)
    for _ in take_steps(database, _LARGE):
        pass


@contextmanager
def _moving(url: str) -> Iterator[list[float]]:
    """Somebody of the small organization sits down and leaves all the while; how long each took, in milliseconds."""
    took: list[float] = []
    over = threading.Event()

    def move() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            use_functions(connection)
            while not over.wait(_PACE):
                took.append(1e3 * _timed(lambda: connection.execute(_MOVE)))

    thread = threading.Thread(target=move, name="moves")
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def _fresh(rig: Rig, name: str) -> str:
    url = rig.postgres.create_database(f"bench_{name}")
    init_database(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO organization (code) VALUES (%s), (%s)", (_LARGE, _SMALL))
        connection.execute(
            "INSERT INTO pbx_node (name, kind, host, port, username, secret) VALUES ('home', %s, '127.0.0.1', 1, '', '')",
            (default_kind(),),
        )
    return url


def _file(organization: str, desks: int) -> bytes:
    rows = (
        f"{organization},{n:06},Person {n},yes,desk-{organization}-{n:06},home\n" for n in range(1, desks + 1)
    )
    return (_HEADER + "".join(rows)).encode()


def _copy(url: str, desks: int) -> None:
    with psycopg.connect(url) as connection:
        use_functions(connection)
        connection.execute("SET enable_seqscan = off")
        with connection.cursor().copy(
            "COPY extension (organization_id, number, name, allows_virtualization) FROM STDIN"
        ) as copy:
            for n in range(1, desks + 1):
                copy.write_row((1, f"{n:06}", f"Person {n}", True))
        ids = connection.execute("SELECT id FROM extension ORDER BY id").fetchall()
        with connection.cursor().copy(
            "COPY phone (organization_id, name, node_id, base_id) FROM STDIN"
        ) as copy:
            for n, (base,) in enumerate(ids, 1):
                copy.write_row((1, f"desk-{_LARGE}-{n:06}", 1, base))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
