"""`/healthz`: this process runs. `/readyz`: what it needs answers, and how soon. `/metrics`: for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from roost.database import Database
from roost.diagnosis.queues import broker_away
from roost.errors import BrokerUnavailable, Unavailable
from roost.people.access import Action, demand
from roost.version import check_version
from tasks.queues import Queues
from workers.metrics.exporter import CONTENT_TYPE
from workers.web.api.access import TheAsker, TheParts

router = APIRouter(tags=["operation"])


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


class Healthy(BaseModel):
    """The process runs."""

    ok: bool = True


@router.get("/healthz")
async def healthz() -> Healthy:
    """Say that this process runs."""
    return Healthy()


@router.get("/readyz", responses={503: {"model": Ready, "description": "Something is away."}})
def readyz(parts: TheParts) -> JSONResponse:
    """Say whether PostgreSQL and RabbitMQ answer."""
    postgresql = _timed(lambda: _ask_database(parts.database))
    rabbitmq = _timed(lambda: _ask_broker(parts.queues))
    ready = Ready(ok=postgresql.ok and rabbitmq.ok, postgresql=postgresql, rabbitmq=rabbitmq)
    return JSONResponse(ready.model_dump(), 200 if ready.ok else 503)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text."}
    },
)
def metrics(parts: TheParts, asker: TheAsker) -> Response:
    """Write the numbers of this process, for a token that reads the cluster."""
    demand(asker, Action.SEE_CLUSTER)
    return Response(parts.metrics.show(), media_type=CONTENT_TYPE)


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
