"""The command line as a person uses it: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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


def runner() -> Iterator[Run]:
    """Give what runs a command in this process, with the settings of its environment read anew."""

    def run(*arguments: str, stdin: str | None = None) -> Ended:
        settings.cache_clear()
        ended = CliRunner().invoke(app, list(arguments), input=stdin, prog_name="roost")
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    yield run
    settings.cache_clear()
