"""One thread in each process that changes something: it announces for all commits since its last run.

An announce message for each bind would halve the binds; a thread spares the hop, and one run serves many commits.
What it misses because the process died, the sweep finds.
"""

from __future__ import annotations

import threading

import structlog

from roost.database import Database
from roost.errors import DatabaseUnavailable
from roost.routes import announce
from tasks.topology import BROKER_LOST
from tasks.wake import wake_nodes

#: At most one run in this many seconds; what is committed meanwhile shares the next one. At 5 ms almost every
#: bind had a run and a push of its own; at 20 ms a bind costs about a third less, and nobody hears the difference.
MIN_INTERVAL = 0.02
#: At most so many wake-ups a second, however many nodes there are: at full load many nodes are each woken less
#: often, with more news each time. The first wake-up after a pause is never delayed.
WAKE_UPS_PER_SECOND = 250

log = structlog.get_logger(__name__)


class Announcer:
    """Started at first use; `changed()` costs its caller nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """Something was committed."""
        self._changed.set()

    def close(self, timeout: float = 2) -> None:
        """Announce what is left, and end."""
        self._closing.set()
        self._changed.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            self._changed.clear()
            woken = 0
            try:
                woken = self._announce()
            except (DatabaseUnavailable, *BROKER_LOST) as error:
                log.warning("announce_failed", error=type(error).__name__)
            except Exception:
                # Whatever it is: a process without its announcer would leave every change to the sweep, unseen.
                log.exception("announce_failed")
            self._closing.wait(max(MIN_INTERVAL, woken / WAKE_UPS_PER_SECOND))

    def _announce(self) -> int:
        announced = announce(self._database)
        if not announced.numbered:
            return 0  # another process numbered our changes, and wakes the nodes
        wake_nodes(announced.nodes)
        return len(announced.nodes)
