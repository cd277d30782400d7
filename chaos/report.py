"""How a run is told: a table for people, JSON for machines, and the table in `docs/reliability.md`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from chaos.verdict import ZEROS, Verdict


def as_text(verdict: Verdict) -> str:
    """The verdict for a terminal."""
    lines = [
        f"asked {verdict.asked}, answered {verdict.answered}, journal {verdict.journal}, looks {verdict.looks}",
        ", ".join(f"{outcome} {count}" for outcome, count in verdict.outcomes.items()),
        "",
        *(f"{name:11} {getattr(verdict, name):5}   {meaning}" for name, meaning in ZEROS.items()),
        "",
        f"worst time to heal {verdict.worst_to_heal:.1f} s",
        *(
            f"  {name:32} {fault.times} x, {fault.worst_to_heal:5.1f} s, diverged {fault.diverged}"
            for name, fault in sorted(verdict.faults.items())
        ),
        "",
        "PASSED" if verdict.passed else "FAILED",
    ]
    return "\n".join(lines)


def write_json(verdict: Verdict, path: Path, **about: object) -> None:
    """The verdict for machines; `about` says how the run was made."""
    path.write_text(json.dumps(about | {"passed": verdict.passed} | asdict(verdict), indent=2) + "\n")


def as_markdown(verdicts: dict[str, dict[str, Any]]) -> str:
    """The table of `docs/reliability.md`: a column for each run, by its title; from what `write_json` wrote."""
    runs = list(verdicts.values())
    rows = [
        ["", *verdicts],
        ["---"] * (len(runs) + 1),
        ["took", *(f"{run['curve'][-1]['seconds']:.0f} s" for run in runs)],
        ["faults begun", *(str(sum(fault["times"] for fault in run["faults"].values())) for run in runs)],
        ["machine's load", *(f"{median(look['load'] for look in run['curve']):.0f}" for run in runs)],
        *([name, *(str(run[name]) for run in runs)] for name in ("seed", "asked", "answered", *ZEROS)),
        ["worst to heal", *(f"{run['worst_to_heal']:.1f} s" for run in runs)],
    ]
    return _table(rows)


def curve(verdict: dict[str, Any]) -> str:
    """What all processes of a run used together, as a table: a line for each look."""
    rows = [["after", "threads", "sockets", "memory"], ["---:"] * 4]
    rows += [
        [f"{look['seconds']:.0f} s", str(look["threads"]), str(look["sockets"]), f"{look['memory']:.0f} MiB"]
        for look in verdict["curve"]
    ]
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def main(named: list[str]) -> None:
    """Print the table of `TITLE=FILE` arguments, with the faults of each run; `curve FILE` prints what one run used."""
    if named[:1] == ["curve"]:
        print(curve(json.loads(Path(named[1]).read_text())))
        return
    verdicts = {
        title: json.loads(Path(path).read_text())
        for title, _, path in (each.partition("=") for each in named)
    }
    print(as_markdown(verdicts))
    for title, verdict in verdicts.items():
        healed = [
            f"`{name}` {fault['worst_to_heal']:.1f}" for name, fault in sorted(verdict["faults"].items())
        ]
        print(f"{title}, seconds to heal: {', '.join(healed)}.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
