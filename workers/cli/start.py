"""How `roost` begins: until all is imported, Ctrl-C ends it and says nothing (`workers/__init__.py`)."""

from __future__ import annotations

import signal


def main() -> None:
    """Run one command and exit."""
    from workers.cli.main import main as run  # noqa: PLC0415  # of a module that is a program too

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a command closes what it opened
    run()
