"""What is reported: figures beside their baselines, ratios beside their targets, and the series behind pictures."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.targets import TARGETS


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, and what it is to be compared with, if there is such a thing."""

    scenario: str
    name: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_name: str = ""


@dataclass(slots=True)
class Report:
    """Filled by the scenarios, one after the other. A ratio's key may have a part after a dot: `rss.push`."""

    ratios: dict[str, float] = field(default_factory=dict)
    runs: dict[str, list[float]] = field(default_factory=dict)
    measured_by: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    series: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    #: What this machine cannot measure, and why.
    left_out: dict[str, str] = field(default_factory=dict)
    scenario: str = ""

    def ratio(self, key: str, value: float, runs: list[float] | None = None) -> None:
        """A value that has a target, and the runs it is the median of."""
        self.ratios[key] = value
        self.measured_by[key] = self.scenario
        if runs:
            self.runs[key] = runs

    def figure(
        self, name: str, value: float, unit: str, baseline: float | None = None, baseline_name: str = ""
    ) -> None:
        """A value that has none, with its baseline."""
        self.figures.append(Figure(self.scenario, name, value, unit, baseline, baseline_name))

    def as_json(self) -> dict[str, Any]:
        """Ratios by their keys, a dotted one inside its group; then what they come from."""
        found: dict[str, Any] = {}
        for key, value in self.ratios.items():
            group, _, part = key.partition(".")
            if part:
                found.setdefault(group, {})[part] = round(value, 4)
            else:
                found[group] = round(value, 4)
        targets = {
            key: {
                "relation": target.relation,
                "limit": target.limit,
                "met": target.met(self.ratios[key]),
                "scenario": self.measured_by[key],
            }
            for key, target in TARGETS.items()
            if key in self.ratios
        }
        figures = [
            {
                "scenario": f.scenario, "name": f.name, "value": round(f.value, 3), "unit": f.unit,
                "baseline": None if f.baseline is None else round(f.baseline, 3), "baseline_name": f.baseline_name,
            }
            for f in self.figures
        ]  # fmt: skip
        runs = {key: [round(value, 4) for value in values] for key, values in self.runs.items()}
        return found | {
            "targets": targets,
            "runs": runs,
            "figures": figures,
            "series": self.series,
            "failed": self.failed,
        }

    def keep(self, document: Mapping[str, Any], run_again: Container[str]) -> None:
        """Take over what an earlier document says of scenarios that are not run again."""
        for key, target in document["targets"].items():
            if target["scenario"] not in run_again:
                group, _, part = key.partition(".")
                self.ratios[key] = document[group][part] if part else document[group]
                self.measured_by[key] = target["scenario"]
                if key in document["runs"]:
                    self.runs[key] = document["runs"][key]
        self.figures += [Figure(**f) for f in document["figures"] if f["scenario"] not in run_again]
        self.series |= document["series"]

    def put_in_order(self, scenarios: Sequence[str]) -> None:
        """Figures by scenario, ratios as the targets are listed."""
        self.figures.sort(key=lambda figure: scenarios.index(figure.scenario))
        self.ratios = {key: self.ratios[key] for key in TARGETS if key in self.ratios}

    def print(self, console: Console) -> None:
        """Two tables."""
        table = Table(title="Figures", title_justify="left")
        for heading in ("measured", "value", "", "baseline", ""):
            table.add_column(heading, justify="right" if heading in {"value", "baseline"} else "left")
        last = ""
        for figure in self.figures:
            if last and figure.scenario != last:
                table.add_section()
            last = figure.scenario
            baseline = "" if figure.baseline is None else readable(figure.baseline)
            table.add_row(figure.name, readable(figure.value), figure.unit, baseline, figure.baseline_name)
        console.print(table)
        ratios = Table(title="Targets", title_justify="left")
        for heading in ("key", "what", "measured", "target", ""):
            ratios.add_column(heading, justify="right" if heading in {"measured", "target"} else "left")
        for key, value in self.ratios.items():
            target = TARGETS[key]
            met = "[green]met[/green]" if target.met(value) else "[red]not met[/red]"
            ratios.add_row(
                key, target.what, readable(value), f"{target.relation} {readable(target.limit)}", met
            )
        console.print(ratios)
        for name, error in self.failed.items():
            console.print(f"[red]{name} failed:[/red] {error}", markup=True, highlight=False)


def readable(value: float) -> str:
    """Three figures that count, and commas between thousands."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
