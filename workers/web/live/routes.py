"""The event streams behind the live pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from roost.access import Action, demand
from roost.fields import ExtensionKey
from workers.web.live.extensions import WatchedExtensions
from workers.web.live.hub import Watched
from workers.web.live.pictures import ClusterPicture, DeskPicture
from workers.web.live.stream import Viewer, respond
from workers.web.pages.visit import TheParts, TheVisit

router = APIRouter(include_in_schema=False, prefix="/live")
#: The stamp of what the page shows; a browser that comes back says what it heard last.
Seen = Annotated[str, Query(max_length=64)]
LastSeen = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]


@router.get("/organizations/{code}")
async def watch_desks(
    parts: TheParts, visit: TheVisit, code: str, seen: Seen = "", last: LastSeen = None
) -> StreamingResponse:
    """Watch an organization's desks."""
    demand(visit.asker, Action.SEE_ORGANIZATION, code)
    parts.hub.demand_room()
    picture = DeskPicture(parts.database, code)
    lifetime = parts.settings.web_stream_lifetime
    return respond(parts.hub.watch_picture(("desks", code), picture, last or seen, lifetime))


@router.get("/cluster")
async def watch_cluster(
    parts: TheParts, visit: TheVisit, seen: Seen = "", last: LastSeen = None
) -> StreamingResponse:
    """Watch the cluster."""
    demand(visit.asker, Action.SEE_CLUSTER)
    parts.hub.demand_room()
    picture = ClusterPicture(parts.database, parts.queues, parts.pulse)
    lifetime = parts.settings.web_stream_lifetime
    return respond(parts.hub.watch_picture("cluster", picture, last or seen, lifetime))


@router.get("/extensions/{key}")
async def watch_extension(parts: TheParts, visit: TheVisit, key: str, seen: Seen = "") -> StreamingResponse:
    """Watch one extension."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.SEE_EXTENSION, *extension)
    parts.hub.demand_room()

    async def greet(watched: Watched, viewer: Viewer) -> None:
        assert isinstance(watched, WatchedExtensions)
        watched.add(viewer, extension.organization, extension.number, seen)

    lifetime = parts.settings.web_stream_lifetime
    return respond(parts.hub.watch("extensions", lambda: WatchedExtensions(parts.database), lifetime, greet))
