"""`/healthz`: this process runs. `/readyz`: what it needs answers, and how soon. `/metrics`: for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from roost.people.access import Action, demand
from workers.metrics.exporter import CONTENT_TYPE
from workers.web.api.access import TheAsker, TheParts
from workers.web.readiness import Ready

router = APIRouter(tags=["operation"])


class Healthy(BaseModel):
    """The process runs."""

    ok: bool = True


@router.get("/healthz")
async def healthz() -> Healthy:
    """Say that this process runs."""
    return Healthy()


@router.get("/readyz", responses={503: {"model": Ready, "description": "Something is away."}})
async def readyz(parts: TheParts) -> JSONResponse:
    """Say whether PostgreSQL and RabbitMQ answer."""
    ready = await parts.readiness()
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
