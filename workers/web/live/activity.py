"""The pulse of this process: it follows the cursors for the metrics and the charts, viewers or not."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from roost.database import Database
from roost.errors import Unavailable
from roost.views.activity import Beat, read_beat
from tasks.outages import DATABASE
from workers.web.metrics import Metrics

#: Seconds between two looks.
PACE = 0.5
#: Times to converge that are kept, and for how many seconds.
KEPT = 60


class Pulse:
    """Runs until it is cancelled."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._last: Beat | None = None
        self._pending: tuple[int, datetime] | None = None
        self._converged: deque[tuple[float, float]] = deque(maxlen=KEPT)

    @property
    def converged(self) -> list[float]:
        """How many seconds the last changes took to every node; the newest last."""
        return [took for _, took in tuple(self._converged)]

    async def run(self) -> None:
        """Look at the cursors every PACE seconds, until cancelled; the log tells when PostgreSQL goes, and when it is back."""
        while True:
            try:
                await run_in_threadpool(self.look)
                DATABASE.back()
            except Unavailable as error:
                DATABASE.noticed(doing="looking at the cursors", error=str(error))
            await asyncio.sleep(PACE)

    def look(self) -> None:
        """Take one look. Raises DatabaseUnavailable."""
        beat = read_beat(self._database, self._last.now if self._last else None)
        self._follow(beat)

    def _follow(self, beat: Beat) -> None:
        """Time the first change since the last look, until every node that answers has it."""
        last, self._last = self._last, beat
        if last is None:
            return
        if beat.version > last.version and beat.first_change is not None and self._pending is None:
            self._pending = (beat.version, beat.first_change)
        if self._pending and beat.applied_at and beat.applied_version >= self._pending[0]:
            took = max(0.0, (beat.applied_at - self._pending[1]).total_seconds())
            self._pending = None
            self._converged.append((beat.now.timestamp(), took))
            self._metrics.converged(took)
