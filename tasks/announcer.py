"""The announcer: one thread in each process that moves extensions. A run numbers all that was committed since the last, and wakes the nodes.

With a message for each bind instead, only half as many binds a second were possible. If the process dies before the run, the sweep does its work.
"""

from __future__ import annotations

import math
import threading
import time

import structlog

from roost.database import Database
from roost.errors import DatabaseUnavailable
from roost.nodes.routes import announce
from tasks.broker import BROKER_LOST
from tasks.wake import wake_nodes

#: Wake-ups a second while few things change, and while many do. A wake-up costs the same however many changes it stands for, so a busy
#: machine wakes each node less often, for more changes each time. The first wake-up after a pause is never delayed.
MOST_WAKE_UPS, FEWEST_WAKE_UPS = 800, 64
#: While many things change, the least seconds from one run to the next: a run costs as much as a move, too, and a caller notices no delay of that length.
BUSY_PAUSE = 0.1
#: Changes in the last second up to which they are few, and from which on they are many; a move makes four or five.
FEW_CHANGES, MANY_CHANGES = 150, 300

log = structlog.get_logger(__name__)


class Announcer:
    """Started at first use; `changed()` costs its caller nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._recent = 0.0  # changes of about the last second, and when it was reckoned
        self._reckoned_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """Say that something was committed."""
        self._changed.set()

    def close(self, timeout: float = 2) -> None:
        """Announce what is left, and end."""
        self._closing.set()
        self._changed.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            self._closing.wait(self._announce_safely())
        if self._changed.is_set():  # what was committed in the pause
            self._announce_safely()

    def _announce_safely(self) -> float:
        """One run, which raises nothing; how long to pause after it, in seconds."""
        self._changed.clear()
        try:
            return self._announce()
        except (DatabaseUnavailable, *BROKER_LOST) as error:
            log.warning("announce_failed", error=type(error).__name__)
        except Exception:
            # Whatever it is: a process without its announcer would leave every change to the sweep, unseen.
            log.exception("announce_failed")
        return 0.0

    def _announce(self) -> float:
        announced = announce(self._database)
        if not announced.numbered:
            return 1 / MOST_WAKE_UPS  # another process numbered our changes, and wakes the nodes
        if announced.nodes:
            wake_nodes(announced.nodes)
        if announced.more:
            self._changed.set()
        now = time.monotonic()
        self._recent = self._recent * math.exp(self._reckoned_at - now) + announced.numbered
        self._reckoned_at = now
        return pause_after(self._recent, len(announced.nodes))


def pause_after(changes: float, nodes: int) -> float:
    """Seconds until the next run, when so many changes were numbered in the last second, and so many nodes are woken."""
    least, most = max(1, nodes) / MOST_WAKE_UPS, max(BUSY_PAUSE, nodes / FEWEST_WAKE_UPS)
    busy = min(1.0, max(0.0, (changes - FEW_CHANGES) / (MANY_CHANGES - FEW_CHANGES)))
    return least + busy * (most - least)
