"""What a command line that is not understood is answered: a line, as every other error."""

from __future__ import annotations

import typer

from workers.cli.exits import Exit
from workers.cli.output import show_error

#: By name, for Typer does not export their classes: a group that is called alone, which shows its help; an option that there is not.
_SHOWS_HELP, _NO_SUCH_OPTION = "NoArgsIsHelpError", "NoSuchOption"


def told(error: typer.TyperException) -> Exception:
    """What to raise in its place: the exit, once it was said what is wrong, and where to read how it is right."""
    kind = type(error).__name__
    if kind == _SHOWS_HELP or error.exit_code != Exit.USAGE:
        return error
    what = " ".join(error.format_message().split()).replace("Value error, ", "")
    if not what.endswith((".", "?", ")")):
        what += "."
    if kind == _NO_SUCH_OPTION and not getattr(error, "possibilities", None):
        what += " A name that begins with a dash stands behind ` -- `."
    context = getattr(error, "ctx", None)
    show_error(f"{what} See `{context.command_path if context else 'roost'} --help`.", "usage")
    return typer.Exit(Exit.USAGE)
