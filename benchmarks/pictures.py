"""Pictures of what was measured, small enough to keep in docs/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no display is needed

from matplotlib import pyplot as plt

_SIZE = (7.0, 3.6)
_DOTS = 80
_COLOURS = ("#30638e", "#d1495b", "#edae49", "#00798c", "#7d5ba6", "#8d99ae", "#5c8001")
#: The kinds of process that a stacked bar shows, from the bottom.
_KINDS = ("postgres", "bind", "push", "rabbitmq", "caller", "simulator", "verify")


def draw(document: Mapping[str, Any], folder: Path) -> None:
    """Whatever the document has the series for."""
    series = document["series"]
    for name, picture in (
        ("binds_by_nodes", _throughput_by_nodes), ("latencies", _latencies), ("cost", _costs), ("cost_by_nodes", _costs_by_nodes),
    ):  # fmt: skip
        if name in series:
            figure, axes = plt.subplots(figsize=_SIZE, dpi=_DOTS, layout="constrained")
            picture(axes, series[name])
            axes.spines[["top", "right"]].set_visible(False)
            figure.savefig(folder / f"{name}.png")
            plt.close(figure)


def _throughput_by_nodes(axes: Any, rates: Mapping[str, float]) -> None:
    axes.bar(list(rates), list(rates.values()), color=_COLOURS[0], width=0.5)
    axes.set(xlabel="nodes pushed to", ylabel="binds a second, 8 callers", title="Throughput by nodes")


def _latencies(axes: Any, series: Mapping[str, list[float]]) -> None:
    for colour, (name, values) in zip(_COLOURS, series.items(), strict=False):
        axes.plot(values, [n / len(values) * 100 for n in range(len(values))], label=name, color=colour)
    axes.set_xscale("log")
    axes.set(xlabel="milliseconds from request to answer", ylabel="% answered", title="Latency")
    axes.legend(frameon=False, fontsize=8)


def _costs(axes: Any, costs: Mapping[str, Mapping[str, float]]) -> None:
    _stacked(axes, costs)
    axes.set(ylabel="processor ms a request", title="Cost of a request by process, 8 callers, 2 nodes")


def _costs_by_nodes(axes: Any, costs: Mapping[str, Mapping[str, float]]) -> None:
    _stacked(axes, costs)
    axes.set(xlabel="nodes pushed to", ylabel="processor ms a bind", title="Cost of a bind by process")


def _stacked(axes: Any, bars: Mapping[str, Mapping[str, float]]) -> None:
    floor = dict.fromkeys(bars, 0.0)
    for colour, kind in zip(_COLOURS, _KINDS, strict=True):
        heights = [bar.get(kind, 0.0) for bar in bars.values()]
        if not any(heights):
            continue
        axes.bar(list(bars), heights, bottom=list(floor.values()), label=kind, color=colour, width=0.5)
        floor = {name: floor[name] + height for name, height in zip(bars, heights, strict=True)}
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
