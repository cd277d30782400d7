"""The event stream: what changed, as it changes, in the scope of the token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from roost.errors import Invalid
from roost.nodes.watching import read_changes_since
from roost.pbx.node import Cursor
from roost.people.access import Action, demand
from workers.web.api.access import TheCredential, TheParts
from workers.web.live.events import WatchedChanges, write_changes
from workers.web.live.hub import Watched
from workers.web.live.seats import LiveStream, watching
from workers.web.live.stream import Viewer
from workers.web.parts import Parts

router = APIRouter(tags=["events"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`extension` says where one rings now, `phone` whom one acts as, `gone` what is no more; "
        "`cursor` ends each batch, its id is what `Last-Event-ID` resumes from; `reset`: read the lists anew.",
        "content": {"text/event-stream": {}},
    }
}


class BadEventId(Invalid):
    """The Last-Event-ID is not one that the stream gave."""

    code = "bad_event_id"


@router.get("/events", response_class=StreamingResponse, responses=_STREAM)
async def stream_events(
    parts: TheParts,
    credential: TheCredential,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=120, pattern=r"^[\x21-\x7e]*$")] = None,
) -> StreamingResponse:
    """Stream changes (server-sent events), from now on or from `Last-Event-ID`."""
    asker = credential.asker
    demand(asker, Action.SEE_ORGANIZATION, asker.organization)
    start = None
    if last_event_id:
        start = Cursor.parse(last_event_id)
        if start is None:
            raise BadEventId
    return LiveStream(
        parts.seats,
        watching(credential, request),
        lambda viewer: _stream(parts, viewer, start, asker.organization),
    )


async def _stream(
    parts: Parts, viewer: Viewer, start: Cursor | None, organization: str | None
) -> AsyncIterator[str]:
    async def catch_up(watched: Watched, viewer: Viewer) -> None:
        """Tell what was missed, until it reaches as far as what all viewers are told; then join them.

        Some changes may be told twice, none is lost, and none comes after a newer one.
        """
        assert isinstance(watched, WatchedChanges)
        cursor = start
        while True:
            since = await run_in_threadpool(read_changes_since, parts.database, cursor)
            viewer.tell(write_changes(since, organization))
            cursor = since.cursor
            if not watched.is_ahead_of(cursor):
                watched.add(viewer, organization)
                return

    async for message in parts.hub.watch(
        viewer,
        "changes",
        lambda: WatchedChanges(parts.database),
        parts.settings.web_stream_lifetime,
        catch_up,
    ):
        yield message
