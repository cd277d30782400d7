"""The beat: asks for the sweep and for the end of stays. Two of them do no harm; none only delays repairs."""

from __future__ import annotations

import sys
import time
from typing import Any

import structlog
from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from celery.signals import beat_init

from roost.errors import SettingMissing
from roost.settings import settings
from tasks.app import app
from tasks.broker import BROKER_LOST, NO_BROKER, why_broker_lost
from tasks.heartbeats import keep_heartbeats
from tasks.outages import BROKER
from tasks.periodic import schedule
from tasks.presence import Presence
from workers import systemd
from workers.logs import refuse_to_start, set_up
from workers.metrics.kinds import export_beat
from workers.processes import end_well

#: A beat whose schedule stands still for so many seconds answers no health check.
SILENT_AFTER = 15.0


log = structlog.get_logger(__name__)


class Ticker(Scheduler):
    """Celery's plain scheduler, which keeps no file: a beat that starts anew asks at once, which harms nothing.

    Celery's keeps one producer for good. Without retries nobody revives it, and a beat that had lost its connection
    once asked for nothing any more. None: each message takes a producer of the app's pool, which connects again.
    """

    producer = None
    #: When it last looked what is due, by the monotonic clock.
    looked_at = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Ask for what is due; called each second at least."""
        systemd.alive()
        Ticker.looked_at = time.monotonic()
        return super().tick(*args, **kwargs)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Ask for one thing. What comes to nothing is asked for again when it is due the next time."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            cause = error.__context__
            if not isinstance(cause, (*BROKER_LOST, *NO_BROKER)):
                log.exception("not_asked_for", task=entry.task)
                return
            why = why_broker_lost(cause)
            systemd.status(f"waiting for RabbitMQ: {why}")
            BROKER.gone(doing="asking for what is due", error=type(cause).__name__, why=why)
        else:
            systemd.status("serving")
            BROKER.back()


def is_well() -> bool:
    """Whether the schedule goes on."""
    return time.monotonic() - Ticker.looked_at < SILENT_AFTER


@beat_init.connect
def _say_ready(**_: object) -> None:
    systemd.ready()


def main() -> int:
    """Run until SIGTERM."""
    end_well()
    try:
        set_up(settings())
        settings().need("broker_url")
    except SettingMissing as error:
        refuse_to_start("beat", error)
        return 2
    export_beat(settings())
    app.conf.beat_schedule = schedule()
    log.info("beat_ready")
    keep_heartbeats()
    with Presence(settings(), "beat", is_well):
        app.Beat(
            scheduler_cls=Ticker,
            loglevel=settings().log_level.upper(),
            max_interval=1,
            remote_control=False,  # Celery's own ends for good when RabbitMQ refuses the login once
            quiet=True,
        ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
