"""The processes of Roost: what each is for, how many one machine has use for, and how they end."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import NamedTuple


class Process(NamedTuple):
    """A module `workers.<name>`."""

    what: str
    #: Whether a machine may have use for several; a `verify` uses every core, and a second center or page needs a port of its own.
    several: bool = False


#: By name, in the order of the Procfile.
PROCESSES = {
    "center": Process("answers the calls of the feature code"),
    "bind": Process("moves extensions", several=True),
    "verify": Process("compares secret codes"),
    "push": Process("tells the PBX nodes", several=True),
    "beat": Process("asks for what is due"),
    "web": Process("the page and the API"),
}


def why_not_listening(error: OSError) -> str:
    """Why an address cannot be listened at, in the system's words."""
    if isinstance(error, socket.gaierror):
        return "this host name is not known here"
    return os.strerror(error.errno) if error.errno else str(error)


def end_well() -> None:
    """On SIGTERM or Ctrl-C end with exit code 0: before a library listens to them, and when it raises them again after it.

    A terminal that is closed (SIGHUP) ends it as SIGTERM does, unless it was started to outlive that, as by nohup.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
