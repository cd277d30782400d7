"""Writes what was measured into docs/performance.md, between its two markers; the words around are a person's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.report import readable
from benchmarks.targets import TARGETS

_BEGIN, _END = "<!-- results: written by script/bench --document -->", "<!-- end of results -->"


def write_results(document: Mapping[str, Any], page: Path) -> None:
    """Replace the tables. Raises ValueError when the page has no place for them."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    if not rest or not after:
        raise ValueError(f"{page} lacks the markers {_BEGIN} and {_END}.")
    tables = "\n".join([*_targets(document), *_figures(document)])
    page.write_text(f"{before}{_BEGIN}\n{tables}\n{_END}{after}", encoding="utf-8")


def _targets(document: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Measured {document['measured_at'][:16].replace('T', ' ')} UTC on {document['machine']}; load average before: "
        f"{document['load_before']:.1f}. Median of {document['runs_of_a_ratio']} runs of {document['seconds_of_a_run']:g} s."
    )
    yield ""
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
