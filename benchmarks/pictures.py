"""Pictures of what was measured, small enough to keep in docs/; each twice, for light pages and for dark ones (`NAME-dark.png`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no display is needed

from matplotlib import pyplot as plt

_SIZE = (7.0, 3.6)
_DOTS = 80


@dataclass(frozen=True, slots=True)
class _Look:
    """Of one kind of page: its name's ending, paper and ink as GitHub's, and colours that each stand out from the paper by 3 to 1."""

    ending: str
    paper: str
    ink: str
    colours: tuple[str, ...]


_LOOKS = (
    _Look("", "#ffffff", "#1f2328", ("#30638e", "#d1495b", "#b8761a", "#00798c", "#7d5ba6", "#6f7b91", "#5c8001")),
    _Look("-dark", "#0d1117", "#e6edf3", ("#6ea8dc", "#f0788a", "#edae49", "#2fb5c4", "#b493e0", "#a9b4c8", "#94c13d")),
)  # fmt: skip
#: The kinds of process that a stacked bar shows, from the bottom.
_KINDS = ("postgres", "bind", "push", "rabbitmq", "caller", "simulator", "verify")


def draw(document: Mapping[str, Any], folder: Path) -> None:
    """Whatever the document has the series for."""
    series = document["series"]
    for name, picture in (
        ("binds_by_nodes", _throughput_by_nodes), ("latencies", _latencies), ("cost", _costs), ("cost_by_nodes", _costs_by_nodes),
    ):  # fmt: skip
        for look in _LOOKS if name in series else ():
            with mpl.rc_context(_settings(look)):
                figure, axes = plt.subplots(figsize=_SIZE, dpi=_DOTS, layout="constrained")
                picture(axes, series[name])
                axes.spines[["top", "right"]].set_visible(False)
                figure.savefig(folder / f"{name}{look.ending}.png")
                plt.close(figure)


def _settings(look: _Look) -> dict[str, Any]:
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    papers = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    return (
        dict.fromkeys(inks, look.ink)
        | dict.fromkeys(papers, look.paper)
        | {"axes.prop_cycle": f"cycler(color={list(look.colours)})"}
    )


def _throughput_by_nodes(axes: Any, rates: Mapping[str, float]) -> None:
    axes.bar(list(rates), list(rates.values()), width=0.5)
    axes.set(xlabel="nodes pushed to", ylabel="binds a second, 8 callers", title="Throughput by nodes")


def _latencies(axes: Any, series: Mapping[str, list[float]]) -> None:
    for name, values in series.items():
        axes.plot(values, [n / len(values) * 100 for n in range(len(values))], label=name)
    axes.set_xscale("log")
    axes.set(xlabel="milliseconds from request to answer", ylabel="% answered", title="Latency")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _costs(axes: Any, costs: Mapping[str, Mapping[str, float]]) -> None:
    _stacked(axes, costs)
    axes.set(ylabel="processor ms a request", title="Cost of a request by process, 8 callers, 2 nodes")


def _costs_by_nodes(axes: Any, costs: Mapping[str, Mapping[str, float]]) -> None:
    _stacked(axes, costs)
    axes.set(xlabel="nodes pushed to", ylabel="processor ms a bind", title="Cost of a bind by process")


def _stacked(axes: Any, bars: Mapping[str, Mapping[str, float]]) -> None:
    floor = dict.fromkeys(bars, 0.0)
    for number, kind in enumerate(_KINDS):
        heights = [bar.get(kind, 0.0) for bar in bars.values()]
        if not any(heights):
            continue
        axes.bar(list(bars), heights, bottom=list(floor.values()), label=kind, color=f"C{number}", width=0.5)
        floor = {name: floor[name] + height for name, height in zip(bars, heights, strict=True)}
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
