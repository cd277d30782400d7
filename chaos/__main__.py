"""`script/chaos`: run Roost under load and faults on this machine, and say what came of it. The exit code says so too."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from chaos import (
    batch_faults,
    freepbx_faults,
    kamailio_faults,
    message_faults,
    network_faults,
    node_faults,
    postgres_faults,
    process_faults,
)
from chaos.faults import (
    ASTERISK,
    FAULTS,
    FREEPBX,
    KAMAILIO,
    THREE_BROKERS,
    UnknownFault,
    check_installed,
    chosen,
)
from chaos.report import as_text, write_json
from chaos.run import NotHealed, Pace, Run
from chaos.stage import Stage
from localcluster.process import ServiceFailed
from localcluster.rabbitmq_install import SUITES

#: They fill the list of faults.
_DEFINED_IN = (
    batch_faults, freepbx_faults, kamailio_faults, message_faults, network_faults, node_faults, postgres_faults, process_faults,
)  # fmt: skip
#: Kinds of real PBX that a stage may have, and what their faults need.
_REAL = {"asterisk": ASTERISK, "freepbx": FREEPBX, "kamailio": KAMAILIO}
#: Seconds from an audit to the next.
AUDITED_ALL_THE_TIME = {"ROOST_AUDIT_EVERY": "1"}


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60, help="how long faults are begun (default: %(default)s)"
    )
    parser.add_argument("--each", action="store_true", help="begin every fault once, however long it takes")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="of the order of faults and requests"
    )
    parser.add_argument(
        "--faults", default="all", help="names or their beginnings, by comma; `list` names them all"
    )
    parser.add_argument("--hold", type=float, default=2, help="seconds a fault lasts (default: %(default)s)")
    parser.add_argument(
        "--calm",
        type=float,
        default=1,
        help="seconds without any fault before the next (default: %(default)s)",
    )
    parser.add_argument("--people", type=int, default=6, help="who ask at once (default: %(default)s)")
    parser.add_argument(
        "--rabbitmq", type=int, choices=(1, 3), default=1, help="broker nodes (default: %(default)s)"
    )
    parser.add_argument(
        "--rabbitmq-version", choices=tuple(SUITES), help="fetched once (default: the machine's own)"
    )
    for kind in _REAL:
        parser.add_argument(
            f"--{kind}",
            type=int,
            nargs="?",
            const=2,
            default=0,
            metavar="N",
            help=f"so many real nodes of {kind.capitalize()} beside the simulated ones (2 when no number is given)",
        )
    parser.add_argument(
        "--extensions",
        type=int,
        default=0,
        metavar="N",
        help="so many more, with phones, in an organization of their own; nodes are audited all the time then",
    )
    parser.add_argument("--json", type=Path, help="write the verdict here too")
    parser.add_argument("--folder", type=Path, help="keep data and logs in this new folder")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run; 0: all zeros, 1: not, 2: it could not run."""
    options = arguments(argv)
    if options.faults == "list":
        print("\n".join(FAULTS))
        return 0
    try:
        has = {THREE_BROKERS} if options.rabbitmq > 1 else set()
        names = chosen(options.faults, has | {need for kind, need in _REAL.items() if getattr(options, kind)})
        check_installed(names)
        with tempfile.TemporaryDirectory(prefix="roost-chaos-") as temporary:
            return _run(options, names, options.folder or Path(temporary))
    except (ServiceFailed, UnknownFault) as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace, names: list[str], folder: Path) -> int:
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - begun:6.1f}  {text}", flush=True)

    tell(f"seed {options.seed}, {len(names)} faults")
    with Stage(
        folder,
        brokers=options.rabbitmq,
        rabbitmq_version=options.rabbitmq_version,
        real={kind: getattr(options, kind) for kind in _REAL},
        more=AUDITED_ALL_THE_TIME if options.extensions or options.freepbx else None,
    ) as stage:
        tell("everything runs")
        run = Run(stage, seed=options.seed, people=options.people, tell=tell, more=options.extensions)
        try:
            verdict = run.go(names, Pace(options.seconds, options.hold, options.calm, each=options.each))
        except NotHealed as error:
            tell(f"FAILED: {error}")
            return 1
        print(as_text(verdict))
        if options.json:
            about = {
                name: getattr(options, name)
                for name in (
                    "seconds",
                    "each",
                    "seed",
                    "hold",
                    "calm",
                    "people",
                    "rabbitmq",
                    "rabbitmq_version",
                    *_REAL,
                    "extensions",
                )
            }
            write_json(verdict, options.json, **about)
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
