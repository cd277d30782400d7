"""The command line as a person uses it: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import typer
from typer.testing import CliRunner

from roost.settings import settings
from workers.cli.main import app


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ended]


@cache
def _command() -> typer.core.TyperGroup:
    """`roost` with all its commands. Typer's own runner would make it anew for each command, which takes most of its time."""
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return command


def runner() -> Iterator[Run]:
    """Give what runs a command in this process, with the settings of its environment read anew."""

    def run(*arguments: str, stdin: str | None = None) -> Ended:
        settings.cache_clear()
        code: object = 0
        with CliRunner().isolation(input=stdin) as (out, err, _):
            try:
                _command().main(list(arguments), prog_name="roost")
            except SystemExit as end:
                code = end.code or 0
            sys.stdout.flush()
            sys.stderr.flush()
            assert isinstance(code, int)
            return Ended(code, *(said.getvalue().decode().replace("\r\n", "\n") for said in (out, err)))

    yield run
    settings.cache_clear()
