"""How a run is told: a table for people, JSON for machines, and the table in `docs/reliability.md`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from chaos.run import Verdict

#: What must be 0, and what it means.
ZEROS = {
    "lost": "answered yes, not in the database",
    "doubled": "one request id, two effects or two answers",
    "broken": "an invariant violated at any moment",
    "late": "took effect after its time limit",
    "diverged": "a node that differs 10 s after healing",
    "disallowed": "an outcome the model does not allow",
    "unsettled": "a repeat of the same id did not settle it",
}


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


def as_markdown(verdicts: dict[str, dict[str, object]]) -> str:
    """The table of `docs/reliability.md`: a column for each run, by its title; from what `write_json` wrote."""
    titles = list(verdicts)
    rows = [["", *titles], ["---"] * (len(titles) + 1)]
    for name in ("seconds", "seed", "asked", "answered", *ZEROS, "worst_to_heal"):
        cells = [verdicts[title][name] for title in titles]
        shown = [f"{cell:.1f} s" if isinstance(cell, float) else str(cell) for cell in cells]
        rows.append([name.replace("_", " "), *shown])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def main(named: list[str]) -> None:
    """Print the table of `TITLE=FILE` arguments, with the faults of each run."""
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
