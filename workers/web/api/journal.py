"""The journal over HTTP, as JSON in parts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from roost.moves.outcomes import Outcome
from roost.people.access import Action
from roost.views.journal import JournalEntry as CoreEntry
from roost.views.journal import journal_entries
from workers.web.api import paging
from workers.web.api.access import TheAsker, TheParts, demand_extension, scope_of
from workers.web.api.models import JournalEntry, Page
from workers.web.api.values import Code, Key, Moment, PhoneName

router = APIRouter(tags=["journal and import"])


@router.get("/journal")
def list_journal(
    parts: TheParts,
    asker: TheAsker,
    organization: Annotated[Code | None, Query()] = None,
    extension: Annotated[Key | None, Query()] = None,
    phone: Annotated[PhoneName | None, Query()] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    since: Annotated[Moment | None, Query()] = None,
    until: Annotated[Moment | None, Query(description="The first moment left out.")] = None,
    limit: paging.Limit = 100,
    cursor: paging.Cursor = None,
) -> Page[JournalEntry]:
    """List requests and what they came to, newest first."""
    if extension is not None:
        organization = demand_extension(asker, Action.SEE_ORGANIZATION, extension).organization
    organization = scope_of(asker, Action.SEE_ORGANIZATION, organization)
    before_id = ""
    if (place := read_place(cursor)) is not None:
        until, before_id = place
    rows = journal_entries(
        parts.database, organization=organization, extension=extension, phone=phone, outcome=outcome, since=since,
        until=until, before_id=before_id, limit=limit + 1,
    )  # fmt: skip
    return paging.page(JournalEntry, rows, limit, place_of)


def place_of(entry: CoreEntry) -> list[str]:
    """Where the entries after this one begin."""
    return [entry.at.isoformat(), entry.request_id]


def write_place(entry: CoreEntry) -> str:
    """The cursor of the entries after this one."""
    return paging.write_cursor(place_of(entry))


def read_place(cursor: str | None) -> tuple[datetime, str] | None:
    """Where a part begins: before this moment and request id. Raises BadCursor."""
    place = paging.read_cursor(cursor, 2)
    if place is None:
        return None
    try:
        moment = datetime.fromisoformat(place[0])
    except ValueError:
        raise paging.BadCursor from None
    if moment.tzinfo is None:
        raise paging.BadCursor
    return moment, place[1]
