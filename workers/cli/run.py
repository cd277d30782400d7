"""`roost run`: one of Roost's processes, in place of this one."""

from __future__ import annotations

import os
import signal
import sys
from enum import StrEnum
from typing import Annotated

import typer

from roost.errors import Invalid
from workers.processes import PROCESSES

Kind = StrEnum("Kind", list(PROCESSES))  # type: ignore[misc]  # its members are those of the table
#: Those whose threads can be set.
_WITH_THREADS = ("bind", "verify")


def run(
    kind: Annotated[Kind, typer.Argument(metavar="PROCESS", help=", ".join(PROCESSES))],
    *,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=64, help="Jobs at once, of `bind` (at most 8) and `verify`.")
    ] = None,
) -> None:
    """Run a process until SIGTERM or Ctrl-C. Start any of them any number of times, on any machine.

    Exit codes: 0 it was told to end, 2 a setting is missing or wrong, or the database is of another version, 1 another reason, which it says.
    """
    # `-P`: the installed package is meant, and not a folder of this name where it starts.
    argv = [sys.executable, "-P", "-m", f"workers.{kind}"]
    if concurrency is not None:
        if kind not in _WITH_THREADS:
            raise Invalid(f"--concurrency is for {' and '.join(_WITH_THREADS)}.")
        argv += ["--concurrency", str(concurrency)]
    sys.stdout.flush()
    signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGINT}
    )  # until the other program can end without a traceback
    os.execv(sys.executable, argv)  # noqa: S606 - no shell; the process keeps its number, which systemd watches
