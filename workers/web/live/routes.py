"""The event streams behind the live pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from roost.directory.fields import ExtensionKey
from roost.people.access import Action, demand
from roost.views.desks import DeskPart, read_desks
from workers.web.live.desk_cards import ShownPart
from workers.web.live.desks import WatchedDesks
from workers.web.live.extensions import WatchedExtensions
from workers.web.live.hub import Watched
from workers.web.live.seats import LiveStream, watching
from workers.web.live.stream import Viewer
from workers.web.pages.visit import TheParts, TheVisit
from workers.web.parts import Parts

router = APIRouter(include_in_schema=False, prefix="/live")
#: The stamp of what the page shows; a browser that comes back says what it heard last.
Seen = Annotated[str, Query(max_length=64)]
LastSeen = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]


@router.get("/organizations/{code}")
async def watch_desks(
    parts: TheParts,
    visit: TheVisit,
    request: Request,
    code: str,
    seen: Seen = "",
    q: str = "",
    part: str = "",
    behind: str = "",
    ahead: str = "",
    last: LastSeen = None,
) -> StreamingResponse:
    """Watch a part of an organization's desks."""
    demand(visit.asker, Action.SEE_ORGANIZATION, code)
    which = ShownPart.of_address(q, part, behind, ahead)

    async def greet(watched: Watched, viewer: Viewer) -> None:
        assert isinstance(watched, WatchedDesks)
        async with watched.door:
            if watched.join(viewer, last or seen):
                return
            shown = await run_in_threadpool(_read, parts, code, which)
            watched.add(viewer, shown, last or seen)

    lifetime = parts.settings.web_stream_lifetime
    return LiveStream(
        parts.seats,
        watching(visit.credential, request),
        lambda viewer: parts.hub.watch(
            viewer,
            ("desks", code),
            lambda: WatchedDesks(parts.database, code, parts.desk_counts),
            lifetime,
            greet,
        ),
    )


def _read(parts: Parts, code: str, which: ShownPart) -> DeskPart:
    counts = parts.desk_counts.of(code)
    return read_desks(parts.database, code, **which._asdict(), counts=counts)


@router.get("/cluster")
async def watch_cluster(
    parts: TheParts, visit: TheVisit, request: Request, seen: Seen = "", last: LastSeen = None
) -> StreamingResponse:
    """Watch the cluster."""
    demand(visit.asker, Action.SEE_CLUSTER)
    lifetime = parts.settings.web_stream_lifetime
    return LiveStream(
        parts.seats,
        watching(visit.credential, request),
        lambda viewer: parts.hub.watch_picture(viewer, "cluster", parts.cluster, last or seen, lifetime),
    )


@router.get("/extensions/{key}")
async def watch_extension(
    parts: TheParts, visit: TheVisit, request: Request, key: str, seen: Seen = ""
) -> StreamingResponse:
    """Watch one extension."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.SEE_EXTENSION, *extension)

    async def greet(watched: Watched, viewer: Viewer) -> None:
        assert isinstance(watched, WatchedExtensions)
        watched.add(viewer, extension, seen)

    lifetime = parts.settings.web_stream_lifetime
    return LiveStream(
        parts.seats,
        watching(visit.credential, request),
        lambda viewer: parts.hub.watch(
            viewer, "extensions", lambda: WatchedExtensions(parts.database), lifetime, greet
        ),
    )
