"""Where PostgreSQL's time goes in a bind: each named statement, by `pg_stat_statements`, on a server of its own."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from localcluster.postgres import Postgres

_CALLERS = 8
_OPTIONS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",  # what a trigger does counts in the statement that fired it
    "pg_stat_statements.track_planning": "on",
}


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Eight callers, two simulated nodes; the watching itself takes a few per cent."""
    with Postgres(rig.folder / "postgres-watched", options=_OPTIONS) as postgres:
        watched = Rig(rig.folder, postgres, rig.rabbitmq)
        counts = {"verify": 0, "center": 0}
        with Stage(watched, "statements", extensions=6_000, simulated=2, counts=counts) as stage:
            stage.sql.execute("CREATE EXTENSION pg_stat_statements")
            stage.use(["s000", "s001"])
            stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds)  # warm
            stage.sql.execute("SELECT pg_stat_statements_reset()")
            load = stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds)
            rows = stage.sql.execute(_STATEMENTS).fetchall()
    binds = len(load.latencies)
    total = sum(row[2] for row in rows)
    report.figure("PostgreSQL executing and planning, a bind", total / binds, "ms")
    found: dict[str, tuple[float, float]] = {}
    for text, calls, milliseconds in rows:
        name = _name(text)
        before = found.get(name, (0.0, 0.0))
        found[name] = (before[0] + calls / binds, before[1] + milliseconds / binds)
    for name, (calls, milliseconds) in sorted(found.items(), key=lambda item: -item[1][1])[:14]:
        report.figure(f"  {name}", milliseconds, "ms", calls, "calls a bind")
    report.series["statements"] = {name: [round(part, 4) for part in both] for name, both in found.items()}


def _name(text: str) -> str:
    """The file a statement came from; or its beginning."""
    plain = _without_values(text)
    return _names().get(plain, plain[:50])


@cache
def _names() -> dict[str, str]:
    folder = files("roost").joinpath("queries")
    return {
        _without_values(each.read_text(encoding="utf-8")): each.name.removesuffix(".sql")
        for each in folder.iterdir()
    }


def _without_values(text: str) -> str:
    """A statement with no comments, and one sign for every parameter and constant."""
    plain = " ".join(re.sub(r"--[^\n]*", "", text).split()).replace("%%", "%")
    return re.sub(r"%\(\w+\)s|\$\d+|'[^']*'|\b\d+(\.\d+)?\b|\b(NULL|true|false)\b", "?", plain)


_STATEMENTS = """
SELECT query, calls, total_exec_time + total_plan_time
FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database() AND query NOT LIKE '%pg_stat_statements%'
"""
