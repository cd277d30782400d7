"""Imports of desks over HTTP: a CSV file in, what it changes out. And the same file out."""

from __future__ import annotations

import io
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from roost.directory.exporting import export_desks
from roost.directory.importing import import_desks
from roost.people.access import Action, demand
from workers.web.api.access import TheAsker, TheParts, scope_of
from workers.web.api.models import Shown
from workers.web.api.values import Code
from workers.web.parts import Parts

router = APIRouter(tags=["journal and import"])
_FILE = {
    "required": True,
    "content": {
        "text/csv": {
            "schema": {
                "type": "string",
                "contentMediaType": "application/octet-stream",
                "title": "File",
                "description": "CSV; the first line names the columns.",
            }
        }
    },
}


class ImportChange(Shown):
    """What a line adds or changes; `fields` as `name: old → new`."""

    line: int
    kind: str
    key: str
    added: bool
    fields: list[str]


class ImportCounts(Shown):
    """How many things the file adds or changes."""

    desks: int
    extensions_added: int
    extensions_changed: int
    phones_added: int
    phones_changed: int


class ImportReport(Shown):
    """What an import did, or with `dry_run` would do; the first thousand changes."""

    dry_run: bool
    counts: ImportCounts
    changes: list[ImportChange]


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
def export_file(
    parts: TheParts,
    asker: TheAsker,
    organization: Annotated[Code | None, Query(description="Only desks of this organization.")] = None,
) -> StreamingResponse:
    """Give extensions and phones as the file that `/import` takes: imported again, it changes nothing."""
    organization = scope_of(asker, Action.SEE_ORGANIZATION, organization)
    return send_desks(parts, organization)


def send_desks(parts: Parts, organization: str | None) -> StreamingResponse:
    """Send the file in parts. Raises UnknownOrganization."""
    text = export_desks(parts.database, organization)
    headers = {
        "Content-Disposition": f'attachment; filename="desks{f"-{organization}" if organization else ""}.csv"'
    }
    return StreamingResponse(chain([next(text)], text), media_type="text/csv; charset=utf-8", headers=headers)


async def read_file(request: Request, _asker: TheAsker) -> bytes:
    """The file, once it is known who sends it: FastAPI reads a body of its own before it asks, and nobody's may be megabytes."""
    return await request.body()


@router.post("/import", openapi_extra={"requestBody": _FILE})
def import_file(
    parts: TheParts,
    asker: TheAsker,
    file: Annotated[bytes, Depends(read_file)],
    organization: Annotated[
        Code | None, Query(description="Desks of another organization are faults.")
    ] = None,
    dry_run: Annotated[bool, Query(description="Only say what would change.")] = False,  # noqa: FBT002 - a query parameter
) -> ImportReport:
    """Import extensions and phones: all or nothing. A second run changes nothing."""
    organization = organization or asker.organization
    demand(asker, Action.IMPORT, organization)
    report = import_desks(parts.database, io.BytesIO(file), dry_run=dry_run, organization=organization)
    return ImportReport(
        dry_run=dry_run,
        counts=ImportCounts.model_validate(report.counts),
        changes=[ImportChange.model_validate(change) for change in report.changes],
    )
