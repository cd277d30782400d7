"""`roost export`: desks as the file that `roost import` reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from roost.directory.exporting import PART, export_desks
from roost.errors import Invalid, RoostError
from workers.cli.output import say
from workers.cli.progress import progress
from workers.cli.session import open_database


class NotWritten(RoostError):
    """The file cannot be written."""

    code = "not_written"


class IsThere(Invalid):
    """The file is there already; name another, or remove it first."""

    code = "not_written"


def export_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="A new file, or `-` for the terminal or a pipe.")
    ],
    *,
    organization: Annotated[
        str | None, typer.Option("--organization", "--org", help="Only of this one.")
    ] = None,
) -> None:
    """Write extensions and phones to a file that `roost import` takes as it is: then it changes nothing.

    A name or number that a spreadsheet would run as a formula stands behind an apostrophe, which an import takes away. Secret
    codes, and phones without an extension, are not in it.
    """
    with open_database() as database:
        parts = export_desks(database, organization)
        first = next(parts)  # says what is wrong before there is a file
        if str(file) == "-":
            sys.stdout.write(first)
            sys.stdout.writelines(parts)
            return
        try:
            written = file.open("x", encoding="utf-8", newline="")
        except FileExistsError:
            raise IsThere(f"({file})") from None
        except OSError as error:
            raise NotWritten(f"({file}: {error.strerror})") from None
        try:
            with written, progress() as tell:
                written.write(first)
                for number, part in enumerate(parts):
                    tell("desks written", number * PART, None)
                    written.write(part)
        except BaseException as error:
            file.unlink(missing_ok=True)  # half of it would look like all desks
            if isinstance(error, OSError):
                raise NotWritten(f"({file}: {error.strerror}; nothing of it was kept)") from None
            raise
    say(f"Written to {file}.")
