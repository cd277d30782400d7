"""`script/bench`: runs the scenarios, prints the tables, and writes JSON and pictures when asked."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.document import write_results
from benchmarks.effort import FULL, QUICK, TINY, Effort
from benchmarks.report import Report
from benchmarks.stage import POSTGRES, TOP, Rig
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster

#: In the order they run; `procrastinate` needs the extra `bench`.
SCENARIOS = (
    "requests", "applied", "resync", "catch_up", "nodes", "converge", "lamps", "full_send", "freepbx", "kamailio", "calls", "shift_change", "pages", "naive", "procrastinate", "scale_out",
    "safety", "apart", "statements", "size", "million",
)  # fmt: skip
_QUICK = ("requests", "applied", "resync", "catch_up", "shift_change", "size")
_EFFORTS = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main(argv: Sequence[str] | None = None, services: tuple[Postgres, RabbitCluster] | None = None) -> int:
    """Exit 0 when every scenario ran; a target that is not met is no failure.

    `services` run already; without them it starts its own.
    """
    options = _arguments(argv)
    console = Console(width=None if sys.stdout.isatty() else 140)
    report = Report()
    began = time.monotonic()
    load_before = os.getloadavg()[0]
    names = options.only or (_QUICK if options.quick else SCENARIOS)
    if options.merge and options.json and options.json.exists():
        report.keep(json.loads(options.json.read_text()), names)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    try:
        folder.chmod(0o755)  # the services' accounts pass through
        with ExitStack() as own:
            postgres, rabbitmq = services or (
                own.enter_context(Postgres(folder / "postgres", options=POSTGRES)),
                own.enter_context(RabbitCluster(folder / "rabbitmq")),
            )
            _run(names, Rig(folder, postgres, rabbitmq), _effort(options), report, console)
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    report.scenario = ""
    report.put_in_order(SCENARIOS)
    report.print(console)
    console.print(f"{time.monotonic() - began:.0f} s on {_machine()}, load {load_before:.1f} before")
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "load_before": round(load_before, 2),
        "runs_of_a_ratio": _effort(options).runs,
        "seconds_of_a_run": _effort(options).seconds,
    } | report.as_json()
    if options.json:
        options.json.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    if options.plot:
        _plot(document, options.plot)
    if options.document:
        write_results(document, options.document)
    return 1 if report.failed else 0


def _run(names: Sequence[str], rig: Rig, effort: Effort, report: Report, console: Console) -> None:
    for name in names:
        report.scenario = name
        began = time.monotonic()
        try:
            importlib.import_module(f"benchmarks.scenarios.{name}").measure(rig, effort, report)
        except Exception as error:  # noqa: BLE001 - the other scenarios are worth running all the same
            report.failed[name] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        said = report.failed.get(name) or report.left_out.get(name, "done")
        console.print(f"{name}: {said}, {time.monotonic() - began:.0f} s", highlight=False, markup=False)


def _plot(document: dict[str, Any], folder: Path) -> None:
    # Matplotlib is in the extra `bench`; only a picture needs it.
    from benchmarks.pictures import draw  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    draw(document, folder)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the main figures, once each, in some five minutes"
    )
    parser.add_argument(
        "--effort", choices=_EFFORTS, help="how much to measure (default full, or quick with --quick)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=SCENARIOS, metavar="NAME", help=f"of {', '.join(SCENARIOS)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw pictures of it")
    parser.add_argument("--merge", action="store_true", help="keep what FILE says of scenarios not run now")
    parser.add_argument(
        "--document",
        type=Path,
        metavar="PAGE",
        help="write the results into docs/performance.md, and all figures into figures.md beside it",
    )
    parser.add_argument("--runs", type=int, help="runs of a ratio")
    parser.add_argument("--seconds", type=float, help="seconds of a run")
    parser.add_argument("--people", type=int, help="who change shift")
    parser.add_argument(
        "--folder", type=Path, default=TOP / ".roost", help="where servers keep their data meanwhile"
    )
    parser.add_argument("--keep", action="store_true", help="leave the data and the logs there")
    return parser.parse_args(argv)


def _effort(options: argparse.Namespace) -> Effort:
    effort = _EFFORTS[options.effort or ("quick" if options.quick else "full")]
    return replace(
        effort,
        runs=options.runs or effort.runs,
        seconds=options.seconds or effort.seconds,
        people=options.people or effort.people,
    )


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor"
    )
    return f"{os.cpu_count()} cores, {model}"


if __name__ == "__main__":
    sys.exit(main())
