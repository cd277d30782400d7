"""Writes the results into docs/performance.md, between its two markers, and all figures into a page beside it; the words around are a person's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.report import readable
from benchmarks.targets import TARGETS

_BEGIN, _END = "<!-- results: written by script/bench --document -->", "<!-- end of results -->"
#: The page beside it, and how it begins.
_FIGURES = "figures.md"
_ABOUT = """# Every figure of the last run

Written by `script/bench --document`, after each whole run; how to read them: [performance](performance.md).
"""


def write_results(document: Mapping[str, Any], page: Path) -> None:
    """Replace the table of results, and the page of figures beside it. Raises ValueError when the page has no place for the table."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    if not rest or not after:
        raise ValueError(f"{page} lacks the markers {_BEGIN} and {_END}.")
    results = "\n".join([_when(document), "", *_targets(document)])
    page.write_text(f"{before}{_BEGIN}\n{results}\n{_END}{after}", encoding="utf-8")
    figures = "\n".join([_ABOUT, _when(document), *_figures(document)])
    page.with_name(_FIGURES).write_text(f"{figures}\n", encoding="utf-8")


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
