"""Writes the results into docs/performance.md, between its two markers, and all figures into a page beside it; the words around are a person's.

What was not measured this time stays as it was, with the day of its run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.report import readable
from benchmarks.targets import TARGETS

_BEGIN, _END = "<!-- results: written by script/bench --document -->", "<!-- end of results -->"
#: The page beside it, and how it begins.
_FIGURES = "figures.md"
_ABOUT = """# Every figure of the last run

Written by `script/bench --document`; how to read them: [performance](performance.md).
"""
_DAY = re.compile(r"Measured (\d{4}-\d\d-\d\d)")
_ROW = re.compile(r"\| `([^`]+)` \| .* \|")
_SECTION = re.compile(r"^#### `([^`]+)`\n", re.MULTILINE)


def write_results(document: Mapping[str, Any], page: Path) -> None:
    """Replace the table of results, and the page of figures beside it. Raises ValueError when the page has no place for the table."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    table, _, after = rest.partition(_END)
    if not rest or not after:
        raise ValueError(f"{page} lacks the markers {_BEGIN} and {_END}.")
    results = "\n".join([_when(document), "", *_targets(document), *_older_rows(document, table)])
    page.write_text(f"{before}{_BEGIN}\n{results}\n{_END}{after}", encoding="utf-8")
    beside = page.with_name(_FIGURES)
    known = beside.read_text(encoding="utf-8") if beside.exists() else ""
    figures = "\n".join([_ABOUT, _when(document), *_figures(document), *_older_sections(document, known)])
    beside.write_text(f"{figures}\n", encoding="utf-8")


def _day_of(text: str) -> str:
    found = _DAY.search(text)
    return found[1] if found else ""


def _older_rows(document: Mapping[str, Any], table: str) -> Iterator[str]:
    """The rows of an earlier table whose key was not measured now; the day stands where the spread of the runs does."""
    day = _day_of(table)
    for row in _ROW.finditer(table):
        if row[1] not in document["targets"]:
            key, what, measured, runs, *end = row[0].strip("| ").split(" | ")
            runs = runs if re.search(r"\d{4}-", runs) else f"{runs.strip()} ({day})".strip()
            yield f"| {' | '.join([key, what, measured, runs, *end])} |"


def _older_sections(document: Mapping[str, Any], page: str) -> Iterator[str]:
    """The figures of scenarios that were not measured now."""
    day = _day_of(page)
    _, *sections = _SECTION.split(page)
    for name, figures in zip(sections[::2], sections[1::2], strict=True):
        if name not in {figure["scenario"] for figure in document["figures"]}:
            when = "" if _day_of(figures) else f"\nMeasured {day}.\n"
            yield f"\n#### `{name}`\n{when}{figures.rstrip()}"


def _when(document: Mapping[str, Any]) -> str:
    return (
        f"Measured {document['measured_at'][:16].replace('T', ' ')} UTC on {document['machine']}; load average before: "
        f"{document['load_before']:.1f}. Median of {document['runs_of_a_ratio']} runs of {document['seconds_of_a_run']:g} s."
    )


def _targets(document: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | what | measured | runs | target | |"
    yield "|---|---|--:|---|--:|---|"
    for key, target in document["targets"].items():
        group, _, part = key.partition(".")
        value = document[group][part] if part else document[group]
        runs = sorted(document["runs"].get(key, []))
        spread = f"{readable(runs[0])} to {readable(runs[-1])}" if len(runs) > 1 else ""
        limit = f"{target['relation']} {readable(target['limit'])}"
        met = "met" if target["met"] else "**not met**"
        yield f"| `{key}` | {TARGETS[key].what} | {readable(value)} | {spread} | {limit} | {met} |"


def _figures(document: Mapping[str, Any]) -> Iterator[str]:
    last = ""
    for figure in document["figures"]:
        if figure["scenario"] != last:
            last = figure["scenario"]
            yield from (
                "",
                f"#### `{last}`",
                "",
                "| measured | value | | baseline | |",
                "|---|--:|---|--:|---|",
            )
        name = figure["name"].replace("  ", "&nbsp;&nbsp;")
        baseline = "" if figure["baseline"] is None else readable(figure["baseline"])
        yield f"| {name} | {readable(figure['value'])} | {figure['unit']} | {baseline} | {figure['baseline_name']} |"
