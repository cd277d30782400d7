"""`roost` as a shell may start it: `python -m tests.cli.started_oddly STDIN STDOUT ENCODING ARGUMENT…`.

STDIN and STDOUT are files; `closed`; or `as is`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from workers.cli.main import main


def stream(descriptor: int, file: str, mode: str, encoding: str) -> Any:
    """What Python makes of a descriptor when it starts."""
    if file == "closed":
        os.close(descriptor)
        return None
    if file != "as is":
        os.dup2(os.open(file, os.O_WRONLY if mode == "w" else os.O_RDONLY), descriptor)
    return open(descriptor, mode, encoding=encoding, closefd=False)  # it is no path


_, reads, prints, letters, *arguments = sys.argv
sys.stdin = stream(0, reads, "r", letters)
sys.stdout = stream(1, prints, "w", letters)
sys.argv = ["roost", *arguments]
main()
