"""The web application: its parts, its doors, and what every answer has in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Response
from starlette.staticfiles import StaticFiles

from roost.database import Database
from roost.directory import Directory
from roost.people.person import People
from roost.people.sessions import Sessions
from roost.people.tokens import Tokens
from roost.settings import Settings
from tasks.client import Client
from tasks.presence import Presence
from tasks.processes import Processes
from tasks.queues import Queues
from workers.web import health
from workers.web.api import (
    calls,
    cluster,
    events,
    extensions,
    importing,
    journal,
    organizations,
    people,
    phones,
)
from workers.web.api.document import write_document
from workers.web.asking import Asking
from workers.web.faults import add_fault_handlers
from workers.web.known_tokens import KnownTokens
from workers.web.limits import Limits
from workers.web.live import routes as live
from workers.web.live.activity import Pulse
from workers.web.live.desk_counts import DeskCounting
from workers.web.live.hub import PACE, Hub
from workers.web.live.pictures import ClusterPicture
from workers.web.live.seats import Seats
from workers.web.live.shared import Shared
from workers.web.metrics import Metrics
from workers.web.one_look import OneLook
from workers.web.pages import administration, extension, organization, policy, sign_in
from workers.web.pages import cluster as cluster_page
from workers.web.pages import importing as import_page
from workers.web.pages import journal as journal_page
from workers.web.pages.page_cache import PageCache
from workers.web.parts import Parts
from workers.web.readiness import look_at

#: Connections to PostgreSQL of one process; as many requests are served at once.
POOL = 16

_API = (organizations, extensions, phones, cluster, journal, importing, people, calls, events)
_PAGES = (
    sign_in,
    cluster_page,
    organization,
    policy,
    import_page,
    administration,
    journal_page,
    extension,
    live,
)
_CACHED = (extension, organization, journal_page, cluster_page)


def make_parts(settings: Settings, stack: AsyncExitStack) -> Parts:
    """Open what the process works with; the stack closes it."""
    database = Database(settings.need("database_url"), size=POOL, name="roost-web")
    stack.callback(database.close)
    client = stack.enter_context(Client(settings))
    queues = Queues(settings)
    stack.callback(queues.close)
    processes = Processes(settings)
    stack.callback(processes.close)
    stack.enter_context(Presence(settings, "web"))
    metrics = Metrics()
    metrics.export(settings)
    tokens = Tokens(database)
    pulse = Pulse(database, metrics)
    picture = ClusterPicture(database, queues, processes, pulse, settings)
    stack.callback(picture.close)
    counts = DeskCounting(database)
    stack.callback(counts.close)
    return Parts(
        settings=settings,
        database=database,
        directory=Directory(database, settings.seal_public_key),
        people=People(database),
        sessions=Sessions(database, settings),
        tokens=tokens,
        known_tokens=KnownTokens(tokens),
        asking=Asking(client, database, settings),
        hub=Hub(),
        seats=Seats(metrics, most=settings.web_max_viewers),
        metrics=metrics,
        queues=queues,
        readiness=OneLook(lambda: look_at(database, queues)),
        processes=processes,
        pulse=pulse,
        cluster=Shared(picture, PACE),
        page_cache=PageCache(),
        desk_counts=counts,
    )


def create_app(settings: Settings) -> FastAPI:
    """Make the application; it opens its parts when it is started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            parts = app.state.parts = make_parts(settings, stack)
            watch = parts.seats.keep_watch(parts.database, settings.session_idle)
            kept = [asyncio.create_task(each) for each in (parts.pulse.run(), watch)]
            try:
                yield
            finally:
                for task in kept:
                    task.cancel()
                await asyncio.gather(*kept, return_exceptions=True)

    app = FastAPI(
        title="Roost", lifespan=lifespan, openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None,
        # It would send whoever adds a slash to the host that they named, by http where a proxy speaks TLS, and their token with them.
        redirect_slashes=False,
    )  # fmt: skip
    app.openapi = lambda: write_document(app)  # type: ignore[method-assign]  # FastAPI's own way to replace it
    for page in _CACHED:
        app.router.routes.extend(page.CACHED)
    for door in _API:
        app.include_router(door.router, prefix="/api/v1")
    app.include_router(health.router)
    for door in _PAGES:
        app.include_router(door.router)
    app.mount("/static", _Static(directory=Path(__file__).parent / "static"))
    add_fault_handlers(app)
    app.add_middleware(Limits)
    return app


class _Static(StaticFiles):
    """Files that may be kept for an hour."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Answer with a file."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they come
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response
