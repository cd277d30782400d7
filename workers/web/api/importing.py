"""Imports of desks over HTTP: a CSV file in, what it changes out."""

from __future__ import annotations

import io
from typing import Annotated

from fastapi import APIRouter, Body, Query

from roost.directory.importing import import_desks
from roost.people.access import Action, demand
from workers.web.api.access import TheAsker, TheParts
from workers.web.api.models import Code, Shown

router = APIRouter(tags=["journal and import"])


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


@router.post("/import")
def import_file(
    parts: TheParts,
    asker: TheAsker,
    file: Annotated[bytes, Body(media_type="text/csv", description="CSV; the first line names the columns.")],
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
