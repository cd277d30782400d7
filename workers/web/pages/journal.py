"""The journal as a page and as CSV, of one organization or of the cluster."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from roost.database import Database
from roost.directory import Directory
from roost.directory.cells import write_cell
from roost.directory.fields import PHONE_NAME, ExtensionKey
from roost.errors import Invalid
from roost.moves.outcomes import Outcome
from roost.people.access import Action, demand
from roost.views.fingerprints import Rows
from roost.views.journal import PART, JournalEntry, each_entry, journal_entries
from workers.web.api.journal import read_place, write_place
from workers.web.pages.cached_page import CachedPage, answer_page, organization_in_path, page_route
from workers.web.pages.render import show
from workers.web.pages.visit import TheParts, TheVisit, Visit, find_visit
from workers.web.parts import Parts
from workers.web.texts import text

router = APIRouter(include_in_schema=False)
#: Entries on a page.
ON_PAGE = 50
#: Outcomes that a journal never holds.
_NEVER = {
    Outcome.CODE_NEEDED,
    Outcome.CODE_RIGHT,
    Outcome.NOTED,
    Outcome.BAD_REQUEST,
    Outcome.FEATURE_CODE_DIFFERS,
    Outcome.UNAVAILABLE,
}

#: Characters of a filter.
MOST_FILTER = 64
Filter = Annotated[str, Query(max_length=MOST_FILTER)]


@dataclass(slots=True)
class Filters:
    """What was filled in; `zone` is that of the reader at `since`, `until_zone` at `until`: one may be in summer."""

    extension: str = ""
    phone: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    zone: str = ""
    until_zone: str = ""

    def query(self) -> str:
        """As a part of an address."""
        return urlencode({f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)})


def _filters(
    extension: Filter = "", phone: Filter = "", outcome: Filter = "", since: Filter = "", until: Filter = "",
    zone: Filter = "", until_zone: Filter = "",
) -> Filters:  # fmt: skip
    given = (extension, phone, outcome, since, until, zone, until_zone)
    return Filters(*("".join(c for c in value.strip() if c.isprintable()) for value in given))


def show_journal(request: Request, parts: Parts) -> Response:
    """Show a page of it. The newest entries of an organization are asked for most, and cached."""
    code = organization_in_path(request, parts) if "code" in request.path_params else None
    given, cursor = _filters(*_given(request)), request.query_params.get("cursor", "")[:400]
    path = f"/organizations/{code}/journal" if code else "/journal"
    if code is None or given.query() or cursor:
        return _show_some(request, parts, path, code, given, cursor)
    page = CachedPage(
        "journal.html", path, (Action.SEE_ORGANIZATION, code),
        (Rows("list_latest", {"organization": code, "entries": ON_PAGE + 1}), Rows("name_organization", {"organization": code})),
        lambda snapshot: _values(snapshot, code, given, journal_entries(snapshot, organization=code, limit=ON_PAGE + 1)),
    )  # fmt: skip
    return answer_page(request, parts, page)


CACHED = (page_route("/journal", show_journal), page_route("/organizations/{code}/journal", show_journal))


def _given(request: Request) -> Iterator[str]:
    for field in fields(Filters):
        yield request.query_params.get(field.name, "")[:MOST_FILTER]


def _show_some(
    request: Request, parts: Parts, path: str, code: str | None, given: Filters, cursor: str
) -> Response:
    visit = find_visit(request, parts)
    _demand(parts, visit, code)
    problem = None
    try:
        entries = _read(parts, code, given, read_place(cursor or None), ON_PAGE + 1)
    except Invalid:
        problem = text("journal.bad_filter")
        entries = _read(parts, code, Filters(), None, ON_PAGE + 1)
    values = _values(parts.database, code, given, entries) | {"cursor": cursor}
    return show(
        request, visit, "journal.html", status=422 if problem else 200, problem=problem, path=path, **values
    )


def _values(
    database: Database, code: str | None, given: Filters, entries: list[JournalEntry]
) -> dict[str, Any]:
    """What the page shows. Whatever is read here must be in its fingerprints."""
    following = write_place(entries[ON_PAGE - 1]) if len(entries) > ON_PAGE else None
    return {
        "organization": Directory(database).organization_name(code) if code else None, "filters": given,
        "query": given.query(), "entries": entries[:ON_PAGE], "cursor": "", "following": following,
        "outcomes": [outcome.value for outcome in Outcome if outcome not in _NEVER],
    }  # fmt: skip


@router.get("/journal.csv")
@router.get("/organizations/{code}/journal.csv")
def download_journal(
    parts: TheParts, visit: TheVisit, code: str | None = None, extension: Filter = "", phone: Filter = "",
    outcome: Filter = "", since: Filter = "", until: Filter = "", zone: Filter = "", until_zone: Filter = "",
) -> Response:  # fmt: skip
    """Give all of it, as CSV, however long it is: it is written as it is read."""
    _demand(parts, visit, code)
    given = _filters(extension, phone, outcome, since, until, zone, until_zone)
    _read(parts, code, given, None, 1)  # a filter that is not valid is told now
    name = f"journal-{code or 'cluster'}.csv"
    return StreamingResponse(
        _write_csv(parts, code, given), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


def _demand(parts: Parts, visit: Visit, code: str | None) -> None:
    if code is None:
        demand(visit.asker, Action.SEE_CLUSTER)
        return
    demand(visit.asker, Action.SEE_ORGANIZATION, code)
    parts.directory.organization_name(code)  # raises UnknownOrganization


def _read(
    parts: Parts, code: str | None, given: Filters, place: tuple[datetime, str] | None, limit: int
) -> list[JournalEntry]:
    """Read a part. Raises Invalid for a filter that is not valid."""
    key = given.extension
    if key and "*" not in key and code is not None:
        key = f"{code}*{key}"
    if key and code is not None and ExtensionKey.parse(key).organization != code:
        return []
    if given.phone:
        PHONE_NAME.check(given.phone)
    until = _moment(given.until, given.until_zone or given.zone)
    before, before_id = place or (until, "")
    return journal_entries(
        parts.database, organization=code, extension=key or None, phone=given.phone or None,
        outcome=_outcome(given.outcome), since=_moment(given.since, given.zone), until=before, before_id=before_id,
        limit=limit,
    )  # fmt: skip


def _outcome(given: str) -> str | None:
    if given and given not in {outcome.value for outcome in Outcome}:
        raise Invalid
    return given or None


def _moment(given: str, zone: str) -> datetime | None:
    """A time of a form, in the reader's own zone: minutes ahead of UTC."""
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
        minutes = int(zone or 0)
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    except (ValueError, OverflowError):
        raise Invalid from None


def _write_csv(parts: Parts, code: str | None, given: Filters) -> Iterator[str]:
    def read(until: datetime | None, before_id: str, limit: int) -> list[JournalEntry]:
        return _read(parts, code, given, (until, before_id) if until else None, limit)

    yield "\ufeff" + _csv_line([field.name for field in fields(JournalEntry)])
    entries = each_entry(read, None, math.inf)
    while part := list(islice(entries, PART)):
        yield "".join(_csv_line([_cell(value) for value in astuple(entry)]) for entry in part)


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: object) -> str:
    return write_cell(
        "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    )
