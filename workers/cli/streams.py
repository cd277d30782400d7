"""What a command reads from and prints to, whatever it was started with: closed, full, or in an encoding that lacks a letter."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path

from roost.errors import RoostError

#: What a write to a full or a broken disk is answered with. A pipe that nobody reads any more is typer's business.
_NOT_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class NotPrinted(RoostError):
    """What was to be printed could not be written."""

    code = "not_printed"


def prepare() -> None:
    """Let what is printed fail at no letter: pipes and files get UTF-8, a terminal a `?` for what it cannot show.

    What was closed is nothing: the next file or connection that is opened would else take its place.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # what is no text is refused as such by who reads it


def not_printed(error: OSError) -> NotPrinted | None:
    """What to say of an error that came of printing; what is left to print is dropped."""
    if error.errno not in _NOT_WRITTEN or error.filename is not None:
        return None
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NotPrinted(f"{error.strerror}.")
