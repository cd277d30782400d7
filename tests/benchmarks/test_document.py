"""The results in docs/performance.md: what a run measured is written anew, and what it did not stays, with its day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.document import write_results
from benchmarks.report import Report


def a_run(day: str, **ratios: float) -> dict[str, Any]:
    report = Report()
    report.scenario = "applied" if "converge_16" in ratios else "resync"
    for key, value in ratios.items():
        report.ratio(key, value)
        report.figure(key, value, "ratio")
    about = {"measured_at": f"{day}T02:00:00", "machine": "2 cores", "load_before": 0.1}
    return about | {"runs_of_a_ratio": 1, "seconds_of_a_run": 2.0} | report.as_json()


def test_what_was_not_measured_stays_with_its_day(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(
        "Before.\n<!-- results: written by script/bench --document -->\n<!-- end of results -->\nAfter.\n"
    )
    write_results(a_run("2026-11-26", converge_16=9.0), page)
    for _ in range(2):
        write_results(a_run("2026-11-28", resync_vs_dbput=0.9), page)
    written, figures = page.read_text(), (tmp_path / "figures.md").read_text()
    rows = [line.split(" | ") for line in written.splitlines() if line.startswith("| `")]
    assert [(row[0], row[2], row[3].strip()) for row in rows] == [
        ("| `resync_vs_dbput`", "0.90", ""),
        ("| `converge_16`", "9.00", "(2026-11-26)"),
    ]
    assert written.startswith("Before.\n")
    assert written.endswith("\nAfter.\n")
    _, resync, applied = figures.split("#### ")
    assert ("Measured" in resync, applied.count("Measured 2026-11-26.")) == (False, 1)
