"""The processes: whether one of each kind runs. Who asks RabbitMQ is elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from roost.finding import Finding, Level

#: What is missed when none runs. Of `bind`, `verify` and `push` the queues tell, which nobody serves then.
_MISSED = {
    "center": "whoever dials the feature code hears sorry",
    "beat": "nobody looks for nodes that lost their memory, and stays do not end",
}


def check_processes(running: Collection[str]) -> Iterator[Finding]:
    """Look at the kinds that run."""
    for kind, missed in _MISSED.items():
        if kind not in running:
            yield Finding(
                "processes", Level.ERROR, f"No {kind} runs: {missed}.", f"Start a `{kind}` process."
            )
