"""A page of the journal, with each filter there is, of a long journal and of a short one."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import psycopg

from benchmarks.report import Report
from benchmarks.stage import Rig
from roost.database import Database
from roost.schema import init_database
from roost.views.journal import journal_entries

_SHORT = 1_000
#: Entries of a page, and the one that says that there are more.
_PAGE = 51
_READINGS = 15
#: Each extension and phone has ten entries, in a long journal as in a short one.
_EACH = 10


def measure(rig: Rig, rows: int, report: Report) -> None:
    """The worst filter counts. Both are read in turn."""
    urls = {many: _journal(rig, f"journal_{many}", many) for many in (rows, _SHORT)}
    found = _read(urls)
    ratios = {name: found[rows][name] / found[_SHORT][name] for name in found[_SHORT]}
    worst = max(ratios, key=ratios.__getitem__)
    report.ratio("journal_1m_vs_1k", ratios[worst])
    for name in ("nothing", worst):
        report.figure(
            f"journal of {rows:,}, filtered by {name}", found[rows][name] * 1e3, "ms", found[_SHORT][name] * 1e3,
            "of 1,000, ms",
        )  # fmt: skip
    for many in urls:
        rig.postgres.drop_database(f"bench_journal_{many}")


def _filters(last: datetime) -> dict[str, dict[str, Any]]:
    middle, began = last - timedelta(hours=12), last - timedelta(hours=24)
    return {
        "nothing": {},
        "organization": {"organization": "0001"},
        "an organization long silent": {"organization": "0002"},
        "extension": {"extension": "0001*000005"},
        "phone": {"phone": "p000005"},
        "phone of an organization": {"organization": "0001", "phone": "p000005"},
        "a frequent outcome": {"outcome": "virtualized"},
        "a rare outcome": {"outcome": "extension_locked"},
        "an outcome that is not there": {"outcome": "wrong_code"},
        "a rare outcome of an organization": {"organization": "0001", "outcome": "extension_locked"},
        "a frequent outcome of one long silent": {"organization": "0002", "outcome": "virtualized"},
        "since": {"organization": "0001", "since": began},
        "until": {"organization": "0001", "until": middle},
        "since and until": {"since": began, "until": middle},
    }


def _read(urls: dict[int, str]) -> dict[int, dict[str, float]]:
    """Seconds of a reading, by how long the journal is, and the name of the filter."""
    with ExitStack() as stack:
        databases = {many: stack.enter_context(closing(Database(url, size=1))) for many, url in urls.items()}
        filters = {many: _filters(_last(database)) for many, database in databases.items()}
        found: dict[int, dict[str, float]] = {many: {} for many in urls}
        for name in filters[_SHORT]:
            took: dict[int, list[float]] = {many: [] for many in urls}
            for _ in range(_READINGS):
                for many, database in databases.items():
                    took[many].append(_timed(database, filters[many][name]))
            for many, seconds in took.items():
                found[many][name] = median(seconds)
    return found


def _last(database: Database) -> datetime:
    with database.connection() as connection:
        row = connection.execute("SELECT max(at) FROM journal").fetchone()
    assert row is not None  # an aggregate
    last: datetime = row[0]
    return last


def _timed(database: Database, filters: dict[str, Any]) -> float:
    began = time.perf_counter()
    journal_entries(database, limit=_PAGE, **filters)
    return time.perf_counter() - began


def _journal(rig: Rig, name: str, rows: int) -> str:
    """Two days of entries; organization 0002 has some of the first tenth, and was silent since. Indexes are made afterwards, which is quicker."""
    url = rig.postgres.create_database(f"bench_{name}")
    init_database(url)
    with psycopg.connect(url, autocommit=True) as connection:
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'journal' AND indexname <> 'journal_pkey'"
        ).fetchall()
        for index, _ in indexes:
            connection.execute(f"DROP INDEX {index}")
        connection.execute(_FILL, {"rows": rows, "names": max(1, rows // _EACH)})
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE journal")
    return url


_FILL = """
INSERT INTO journal (request_id, at, made_at, origin, operation, organization, extension, phone, outcome, left_phone, asked_from)
SELECT 'r' || i, moment, moment, 'api', CASE i %% 2 WHEN 0 THEN 'virtualize' ELSE 'return' END,
       CASE WHEN i < %(rows)s / 10 AND i %% 2 = 0 THEN '0002' ELSE '0001' END, lpad((i * 7919 %% %(names)s)::text, 6, '0'),
       'p' || lpad((i * 104729 %% %(names)s)::text, 6, '0'),
       CASE WHEN i %% (%(rows)s / 20) = 1 THEN 'extension_locked' WHEN i %% 2 = 0 THEN 'virtualized' ELSE 'returned' END,
       CASE WHEN i %% 4 = 0 THEN 'p' || lpad((i * 31 %% %(names)s)::text, 6, '0') END, NULL
FROM generate_series(1::bigint, %(rows)s) i,
     LATERAL (SELECT now() - (%(rows)s - i) * interval '48 hours' / %(rows)s AS moment) at
"""
