"""How many desks an organization has, and how many are away, ring nowhere, or are cut off; counted only as often as that is cheap.

A hundred thousand desks are counted now and then, by a thread of its own; meanwhile pages show the last count.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from roost.database import Database
from roost.errors import Unavailable
from roost.views.desks import PART, DeskCounts, count_desks

#: A count that takes less (seconds) is made whenever it is asked for.
CHEAP = 0.03
#: Counting may take this part of the time.
SHARE = 0.1
#: Organizations whose counts are kept.
_MOST = 1000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Counted:
    counts: DeskCounts
    at: float
    took: float
    again: bool = False

    @property
    def good(self) -> bool:
        return self.took >= CHEAP and time.monotonic() < self.at + self.took / SHARE


class DeskCounting:
    """The last counts of each organization. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._counted: OrderedDict[str, _Counted] = OrderedDict()
        self._one = ThreadPoolExecutor(1, "desk-counts")

    def close(self) -> None:
        """Count no more."""
        self._one.shutdown(wait=False, cancel_futures=True)

    def is_small(self, organization: str) -> bool:
        """Whether all its desks were one part when they were counted last; False: nobody knows."""
        with self._lock:
            known = self._counted.get(organization)
            return known is not None and known.counts.desks <= PART

    def of(self, organization: str) -> DeskCounts:
        """Its counts: of now, or of a while ago where counting takes long. Raises DatabaseUnavailable."""
        with self._lock:
            known = self._counted.get(organization)
            if known is not None and known.took >= CHEAP:
                if not known.good and not known.again:
                    known.again = True
                    self._one.submit(self._again, organization)
                return known.counts
        return self._count(organization)

    def _count(self, organization: str) -> DeskCounts:
        began = time.monotonic()
        counts = count_desks(self._database, organization)
        ended = time.monotonic()
        with self._lock:
            self._counted[organization] = _Counted(counts, ended, ended - began)
            self._counted.move_to_end(organization)
            if len(self._counted) > _MOST:
                self._counted.popitem(last=False)
        return counts

    def _again(self, organization: str) -> None:
        try:
            self._count(organization)
        except Unavailable as error:
            log.warning("desks_not_counted", organization=organization, error=error.code)
            with self._lock:
                if organization in self._counted:
                    self._counted[organization].again = False
