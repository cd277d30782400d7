"""`script/demo [--asterisk | --kamailio] [--once]`: a whole cluster on this machine, and one working day in it."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import psycopg

from demo.asterisk_pbx import AsteriskPbx
from demo.calls import CallFailed
from demo.cast import OPERATOR, Cast
from demo.checks import Checks
from demo.cluster import DemoCluster
from demo.folder import DataFolder, DemoFailed
from demo.kamailio_pbx import KamailioPbx
from demo.nodes import Nodes
from demo.office import provision
from demo.pbx import Pbx, SimulatedPbx, homes
from demo.screen import Screen
from demo.stage import Stage
from demo.story import play
from localcluster.debian import cache_folder
from localcluster.ports import NoFreePort
from localcluster.process import ServiceFailed
from roost.errors import RoostError

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FOLDER = Path(__file__).resolve().parents[1] / ".roost" / "demo"


class Ended(BaseException):
    """A signal asks us to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main(argv: Sequence[str] | None = None) -> int:
    """The process; its exit code: 0 when every step was right."""
    options = _arguments(argv)
    for number in _ENDING:
        signal.signal(number, _end)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # into a file or a pipe too, as it happens
    screen = Screen()
    checks = Checks(screen.check)
    told_to_end: Ended | None = None
    failure = ""
    try:
        _run(options, screen, checks)
    except Ended as ended:
        told_to_end = ended
    except (DemoFailed, ServiceFailed, NoFreePort, RoostError, psycopg.Error, OSError) as error:
        failure = str(error)
    if failure:
        print(f"demo: {failure}", file=sys.stderr)
    if told_to_end is not None and not checks.all_right:
        return 128 + told_to_end.number
    if checks.passed or checks.failed:
        print(checks.summary, flush=True)
    return 0 if checks.all_right and not failure else 1


def _run(options: argparse.Namespace, screen: Screen, checks: Checks) -> None:
    """From an empty stage to an empty stage."""
    folder = DataFolder(options.folder)
    folder.take()
    pbx: Pbx = options.pbx()
    screen.say("Roost: extensions that move with people", style="bold")
    screen.say(f"Starting a whole cluster on this machine, with {pbx.words}:")
    start = time.monotonic()
    cluster = DemoCluster(folder.path, screen.progress, pbx)
    try:
        cluster.start()
        cast = Cast(homes(pbx.layout))
        addresses = pbx.addresses(cluster.product)
        provision(cluster.product.settings, cast, addresses)
        screen.progress("ready", time.monotonic() - start)
        screen.cast(cast)
        nodes = Nodes(addresses)
        stage = Stage(cast, nodes, pbx.telephones(nodes, cluster.product), screen, checks)
        try:
            play(stage, pbx.lamps)
        except (CallFailed, ServiceFailed, RoostError) as error:
            checks.check(False, str(error))  # noqa: FBT003 - reads as a sentence
        nodes.close()
        if not options.once:
            _hand_over(folder, cluster, cast, screen, checks)
            _stay(cluster, screen)
    finally:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)  # to end takes seconds, and has limits of its own
        if cluster.started:
            with contextlib.suppress(OSError):  # a terminal that was closed
                screen.say("\nEnding everything.", style="dim")
            cluster.stop()
            folder.finished()


def _hand_over(folder: DataFolder, cluster: DemoCluster, cast: Cast, screen: Screen, checks: Checks) -> None:
    """Tell how to talk to the cluster."""
    environment = cluster.product.environment | {"ROOST_CENTER_PORT": str(cluster.product.center_ports[0])}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    lines.append(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    folder.write_secret(folder.environment_file, "\n".join(lines) + "\n")
    people = [f"{OPERATOR} of the page: password {cast.operator_password}"]
    people += [f"{person.key} {person.who}: code {person.code or 'none'}" for person in cast.people]
    folder.write_secret(folder.people_file, "\n".join([*people, *cluster.pbx.sip_accounts()]) + "\n")
    screen.title("Now it is yours")
    codes = ", ".join(f"{person.name} {person.code}" for person in cast.people if person.code)
    screen.tell(f"{checks.summary.removeprefix('demo: ').capitalize()}. The secret codes: {codes}.")
    screen.tell(
        f"The page is at {cluster.product.pages[0]}; sign in as {OPERATOR} with {cast.operator_password}."
    )
    screen.tell(f"All this is in {_shortest(folder.people_file)} too. In another terminal:")
    screen.say()
    screen.lines(
        [
            (f". {shlex.quote(_shortest(folder.environment_file))}", "finds this cluster"),
            ("roost status", "how far every node is"),
            ("roost where '0001*001'", "where John rings, and why"),
            ("roost dial teds-extra '*30001' --code", "John moves again; it asks for his code"),
            ("roost dial teds-extra '*30'", "and goes home"),
            ("roost journal", "who moved when, and who was refused"),
            ("roost --help", "everything else"),
        ]
    )
    screen.say()
    screen.tell(f"The logs are in {_shortest(folder.path)}.")
    screen.tell("Ctrl-C ends everything.")


def _stay(cluster: DemoCluster, screen: Screen) -> None:
    """Keep the cluster up until a signal comes; say it when a part of it ends by itself."""
    told: set[str] = set()
    while True:
        time.sleep(1)
        for name in cluster.ended():
            if name not in told:
                told.add(name)
                screen.say(f"  {name} has ended by itself.", style="bold red")


def _shortest(path: Path) -> str:
    """The path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="Start a whole Roost cluster on this machine and play one working day in it.",
    )
    nodes = parser.add_mutually_exclusive_group()
    nodes.add_argument(
        "--asterisk",
        dest="pbx",
        action="store_const",
        const=AsteriskPbx,
        default=SimulatedPbx,
        help="two real Asterisk nodes with SIP phones, instead of three simulated nodes "
        f"(the first time, Asterisk is fetched into {cache_folder()})",
    )
    nodes.add_argument(
        "--kamailio",
        dest="pbx",
        action="store_const",
        const=KamailioPbx,
        help="two real Kamailios before two real Asterisk nodes, all but one of which have phones (fetched likewise)",
    )
    parser.add_argument(
        "--once", action="store_true", help="end after the story; exit 0 if every step was right"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=_FOLDER,
        help="where its data lies (default: .roost/demo of this checkout)",
    )
    return parser.parse_args(argv)


def _end(number: int, _frame: FrameType | None) -> None:
    raise Ended(number)


if __name__ == "__main__":
    sys.exit(main())
