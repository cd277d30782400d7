"""`roost setup`: the files that an operator starts from, in a folder of their own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from roost.wording import count_of
from workers.cli.exits import Exit
from workers.cli.keys import key_lines
from workers.cli.output import note, say
from workers.kit.files import ENV, UNITS, kit, pbx_sides, unit
from workers.kit.writing import Became, Done, write
from workers.processes import PROCESSES


def setup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Made when missing; the processes run there.")
    ],
    *,
    user: Annotated[
        str, typer.Option(help="The account that systemd's units run as.", metavar="NAME")
    ] = "roost",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is there and differs; .env always stays.")
    ] = False,
) -> None:
    """Write `.env` with fresh keys, a Procfile, systemd's units and the PBX's files, and say what comes next.

    What is there already stays; where it differs, the difference is shown.

    Exit codes: 0 all is there, 1 something there differs and was left.
    """
    folder = folder.absolute()
    program = Path(sys.executable).with_name("roost")
    done = list(
        write(folder, kit(folder, program=program, user=user, keys="\n".join(key_lines())), replace=replace)
    )
    differing = [each for each in done if each.became is Became.KEPT and each.difference]
    for each in done:
        if each.difference:
            print(each.difference, end="")
    for each in done:
        say(f"{each.became:<9}  {each.path.relative_to(folder)}{_about(each)}")
    say("")
    for line in _next_steps(folder, program, user):
        say(line)
    if differing:
        note(
            f"Left as it is, though it differs from this release's: {count_of(len(differing), 'file')}. --replace takes this release's."
        )
        raise typer.Exit(Exit.WARNING)


def _about(done: Done) -> str:
    if done.path.name != ENV:
        return ""
    if done.became is Became.KEPT:
        return "  (your keys and settings)"
    return "  (fresh keys; a further machine of a cluster takes the first one's)"


def _next_steps(folder: Path, program: Path, user: str) -> list[str]:
    kinds = [unit(kind) for kind in PROCESSES]

    def called(name: str) -> str:
        """As one types it here: without its folder where that is among those of PATH."""
        path = program.with_name(name)
        return name if shutil.which(name) == str(path) else str(path)

    steps = [
        ("Name your database and your broker in .env; it says how to make both.", ()),
        ("Make the tables:", (f"{called('roost')} db init",)),
        ("Try it; Ctrl-C ends every process:", (f"{called('honcho')} start",)),
        ("See what is missing or unsafe, and how to mend it:", (f"{called('roost')} doctor",)),
        (
            "To have it run unattended, as root:",
            (
                f"useradd --system --no-create-home --home-dir {folder} {user}",
                f"chown {user}: {folder / ENV}",
                f"install -m 644 {folder / UNITS}/* /etc/systemd/system/",
                "systemctl daemon-reload",
                f"systemctl enable --now roost.target {' '.join(kinds)}",
            ),
        ),
        (f"Further workers are {unit('bind', 2)}, {unit('push', 2)} and so on; roost.target is all of them.", ()),
        (f"On each PBX: what is in {', '.join(pbx_sides())}; each has its page in Roost's docs.", ()),
    ]  # fmt: skip
    lines = [f"Next, in {folder}:"]
    for number, (what, commands) in enumerate(steps, 1):
        lines += [f"  {number}. {what}", *(f"       {command}" for command in commands)]
    return lines
