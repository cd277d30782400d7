"""The beat: asks for the sweep and for the end of stays. Two of them do no harm; none only delays repairs."""

from __future__ import annotations

import sys
from typing import Any

import structlog
from celery.beat import Scheduler
from celery.signals import beat_init

from roost.errors import SettingMissing
from roost.settings import settings
from tasks.app import app
from tasks.periodic import schedule
from tasks.presence import process_name
from workers import systemd
from workers.logs import refuse_to_start, set_up
from workers.metrics.kinds import export_beat

#: A beat whose schedule stands still for so many seconds answers no health check.
SILENT_AFTER = 15.0


log = structlog.get_logger(__name__)


class Ticker(Scheduler):
    """Celery's plain scheduler, which keeps no file: a beat that starts anew asks at once, which harms nothing.

    Celery's keeps one producer for good. Without retries nobody revives it, and a beat that had lost its connection
    once asked for nothing any more. None: each message takes a producer of the app's pool, which connects again.
    """

    producer = None

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Ask for what is due; called each second at least."""
        systemd.alive()
        return super().tick(*args, **kwargs)


@beat_init.connect
def _say_ready(**_: object) -> None:
    systemd.ready()


def main() -> int:
    """Run until SIGTERM."""
    try:
        set_up(settings())
        settings().need("broker_url")
    except SettingMissing as error:
        refuse_to_start("beat", error)
        return 2
    export_beat(settings())
    app.conf.beat_schedule = schedule()
    app.conf.beat_remote_control_max_tick_age = SILENT_AFTER
    log.info("beat_ready")
    app.Beat(
        scheduler_cls=Ticker,
        loglevel=settings().log_level.upper(),
        max_interval=1,
        remote_control=True,
        hostname=process_name("beat"),
        quiet=True,
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
