"""What the beat asks for, and when."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from roost.settings import settings
from tasks.app import app
from tasks.periodic import schedule
from workers.beat import Ticker

#: What the beat asks for first is due so soon, in these tests.
SOON = 0.05


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_keeps_nothing_from_being_due_and_makes_nothing_due(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOST_SWEEP_EVERY", str(SOON))
    monkeypatch.setenv("ROOST_STAYS_EVERY", "3600")
    settings.cache_clear()
    try:
        app.conf.beat_schedule = schedule()
        beat = Ticker(app, lazy=False)
    finally:
        settings.cache_clear()
    monkeypatch.setattr(app, "now", lambda: datetime.now(UTC) + timedelta(hours=hours))
    ends = time.monotonic() + 10
    while not beat.schedule["sweep"].is_due().is_due and time.monotonic() < ends:
        pass
    assert beat.schedule["sweep"].is_due().is_due
    assert not beat.schedule["end_stays"].is_due().is_due
