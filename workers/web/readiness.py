"""Whether what this process needs answers, and how soon."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydantic import BaseModel

from roost.database import Database
from roost.diagnosis.queues import broker_away
from roost.errors import BrokerUnavailable, Unavailable
from roost.version import check_version
from tasks.queues import Queues


class Part(BaseModel):
    """One thing this process needs."""

    ok: bool
    seconds: float
    #: What is the matter, and what mends it.
    says: str = ""


class Ready(BaseModel):
    """Whether requests can be served."""

    ok: bool
    postgresql: Part
    rabbitmq: Part


def look_at(database: Database, queues: Queues) -> Ready:
    """Ask both; a part that hangs takes seconds."""
    postgresql = _timed(lambda: _ask_database(database))
    rabbitmq = _timed(lambda: _ask_broker(queues))
    return Ready(ok=postgresql.ok and rabbitmq.ok, postgresql=postgresql, rabbitmq=rabbitmq)


def _ask_database(database: Database) -> None:
    with database.connection() as connection:
        check_version(connection)


def _ask_broker(queues: Queues) -> None:
    queues.look()


def _timed(ask: Callable[[], None]) -> Part:
    started = time.monotonic()
    try:
        ask()
    except BrokerUnavailable as error:
        away = broker_away(error.detail)
        says = f"{away.says} {away.mend}"
    except Unavailable as error:
        # At which address, and as whom, it was tried is no stranger's business.
        says = f"{error} `roost doctor` says more."
    else:
        says = ""
    return Part(ok=not says, seconds=round(time.monotonic() - started, 4), says=says)
