"""How far a long command is: a bar on a terminal, elsewhere a line every few seconds. On stderr, so that results can be piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from workers.cli.output import note

#: Seconds from one line to the next, where there is no terminal. What is quicker is not told of.
EVERY = 3.0

#: Told what goes on, how much is done, and of how much; None: nobody knows.
Tell = Callable[[str, int, int | None], None]


@contextmanager
def progress() -> Iterator[Tell]:
    """Show what is told. A bar is gone when it is over."""
    if sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Tell]:
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as shown:
        task = shown.add_task("", total=None)

        def tell(what: str, done: int, total: int | None) -> None:
            shown.update(task, description=what, completed=done, total=total)

        yield tell


def _lines() -> Tell:
    told = time.monotonic()

    def tell(what: str, done: int, total: int | None) -> None:
        nonlocal told
        if time.monotonic() - told < EVERY:
            return
        told = time.monotonic()
        note(f"{what}: {done}" if total is None else f"{what}: {done} of about {total}")

    return tell
