"""Commands to a running Asterisk over its control socket: what `asterisk -rx` does, without starting a program for each."""

from __future__ import annotations

import os
import socket
from pathlib import Path

#: What begins a command after which Asterisk hangs up by itself, as it does for `asterisk -rx`.
_ONCE = b"cli quit after "
#: Begins what the console logs between the lines of an answer.
_LOGGED = b"\x7f"
#: Bytes that an answer may have.
_MOST = 64 * 2**20


def ask(control: Path, command: str, deadline: float) -> str:
    """What Asterisk prints. `control` is its asterisk.ctl. Raises OSError when nobody is there, or says nothing for so many seconds."""
    with socket.socket(socket.AF_UNIX) as console:
        console.settimeout(deadline)
        console.connect(os.fspath(control))
        with console.makefile("rb") as stream:
            stream.readline()  # host, process and version
            console.sendall(_ONCE + command.encode() + b"\0")
            printed = stream.read(_MOST)
    lines = printed.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(_LOGGED)).decode()
