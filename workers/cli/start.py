"""How `roost` begins: Ctrl-C while it imports what it needs ends it, and says nothing."""

from __future__ import annotations

import signal


def main() -> None:
    """Run one command and exit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from workers.cli.main import main as run  # noqa: PLC0415  # this takes a second, on a busy machine several

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
