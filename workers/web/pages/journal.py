"""The journal as a page and as CSV, of one organization or of the cluster."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta, timezone
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from roost.access import Action, demand
from roost.errors import Invalid
from roost.fields import PHONE_NAME, ExtensionKey
from roost.history import JournalEntry, journal_entries
from roost.outcomes import Outcome
from roost.records import OrganizationRecord
from workers.web.api.journal import read_place, write_place
from workers.web.pages.render import show
from workers.web.pages.visit import TheParts, TheVisit
from workers.web.parts import Parts
from workers.web.texts import text

router = APIRouter(include_in_schema=False)
#: Entries on a page, and in a CSV file, which is read in parts of this.
ON_PAGE = 50
CSV_PART = 1000
CSV_MOST = 1_000_000
#: What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Outcomes that a journal never holds.
_NEVER = {Outcome.CODE_NEEDED, Outcome.CODE_RIGHT, Outcome.NOTED, Outcome.BAD_REQUEST, Outcome.UNAVAILABLE}

Filter = Annotated[str, Query(max_length=64)]


@dataclass(slots=True)
class Filters:
    """What was filled in."""

    extension: str = ""
    phone: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    zone: str = ""

    def query(self) -> str:
        """As a part of an address."""
        return urlencode({f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)})


def _filters(
    extension: Filter = "", phone: Filter = "", outcome: Filter = "", since: Filter = "", until: Filter = "",
    zone: Filter = "",
) -> Filters:  # fmt: skip
    given = (extension, phone, outcome, since, until, zone)
    return Filters(*("".join(c for c in value.strip() if c.isprintable()) for value in given))


@router.get("/journal")
@router.get("/organizations/{code}/journal")
def show_journal(
    request: Request, parts: TheParts, visit: TheVisit, code: str | None = None, extension: Filter = "", phone: Filter = "",
    outcome: Filter = "", since: Filter = "", until: Filter = "", zone: Filter = "",
    cursor: Annotated[str, Query(max_length=400)] = "",
) -> Response:  # fmt: skip
    """Show a page of it."""
    organization = _demand(parts, visit, code)
    given = _filters(extension, phone, outcome, since, until, zone)
    problem = None
    entries: list[JournalEntry] = []
    try:
        entries = _read(parts, code, given, read_place(cursor or None), ON_PAGE + 1)
    except Invalid:
        problem = text("journal.bad_filter")
        entries = _read(parts, code, Filters(), None, ON_PAGE + 1)
    following = write_place(entries[ON_PAGE - 1]) if len(entries) > ON_PAGE else None
    return show(
        request, visit, "journal.html", status=422 if problem else 200, problem=problem, organization=organization,
        filters=given, query=given.query(), entries=entries[:ON_PAGE], cursor=cursor, following=following,
        outcomes=[outcome.value for outcome in Outcome if outcome not in _NEVER],
    )  # fmt: skip


@router.get("/journal.csv")
@router.get("/organizations/{code}/journal.csv")
def download_journal(
    parts: TheParts, visit: TheVisit, code: str | None = None, extension: Filter = "", phone: Filter = "",
    outcome: Filter = "", since: Filter = "", until: Filter = "", zone: Filter = "",
) -> Response:  # fmt: skip
    """Give all of it, as CSV."""
    _demand(parts, visit, code)
    given = _filters(extension, phone, outcome, since, until, zone)
    first = _read(parts, code, given, None, CSV_PART)
    name = f"journal-{code or 'cluster'}.csv"
    return StreamingResponse(
        _write_csv(parts, code, given, first), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


def _demand(parts: Parts, visit: TheVisit, code: str | None) -> OrganizationRecord | None:
    if code is None:
        demand(visit.asker, Action.SEE_CLUSTER)
        return None
    demand(visit.asker, Action.SEE_ORGANIZATION, code)
    return parts.directory.organization(code)


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
    until = _moment(given.until, given.zone)
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
    except ValueError:
        raise Invalid from None


def _write_csv(parts: Parts, code: str | None, given: Filters, part: list[JournalEntry]) -> Iterator[str]:
    yield "\ufeff" + _csv_line([field.name for field in fields(JournalEntry)])
    for _ in range(CSV_MOST // CSV_PART):
        yield "".join(_csv_line([_cell(value) for value in astuple(entry)]) for entry in part)
        if len(part) < CSV_PART:
            return
        part = _read(parts, code, given, (part[-1].at, part[-1].request_id), CSV_PART)


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: object) -> str:
    shown = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
