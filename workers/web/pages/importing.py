"""An import into one organization: first what the file would change, then, with the same text again, the change."""

from __future__ import annotations

import io

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from roost.directory.importing import LISTED, ImportRefused, ImportReport, import_desks
from roost.errors import Invalid
from roost.people.access import Action, demand
from workers.web.api.importing import send_desks
from workers.web.limits import MAX_IMPORT
from workers.web.pages.render import show
from workers.web.pages.visit import TheForm, TheParts, TheVisit, Visit, text_of
from workers.web.parts import Parts
from workers.web.problems import status_of
from workers.web.texts import text

router = APIRouter(include_in_schema=False, prefix="/organizations/{code}")


@router.get("/import")
def show_import(request: Request, parts: TheParts, visit: TheVisit, code: str) -> Response:
    """Ask for a file."""
    demand(visit.asker, Action.IMPORT, code)
    return _import_page(request, parts, visit, code)


@router.get("/desks.csv")
def show_desks_as_file(parts: TheParts, visit: TheVisit, code: str) -> Response:
    """Give the desks as the file that an import takes."""
    demand(visit.asker, Action.SEE_ORGANIZATION, code)
    return send_desks(parts, code)


@router.post("/import")
async def take_import(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str
) -> Response:
    """Show what a file would change; the second time, with the file's text, do it."""
    demand(visit.asker, Action.IMPORT, code)
    upload = form.get("file")
    if isinstance(upload, UploadFile):
        content = await upload.read(MAX_IMPORT + 1)
    else:
        # Browsers send a text field with CR LF line breaks.
        content = text_of(form, "text").replace("\r\n", "\n").encode()
    if len(content) > MAX_IMPORT:
        raise HTTPException(413, "The file is too large.")
    apply = text_of(form, "apply") == "yes"
    return await run_in_threadpool(_import, request, parts, visit, code, content, apply=apply)


def _import(
    request: Request, parts: Parts, visit: Visit, code: str, content: bytes, *, apply: bool
) -> Response:
    if not content:
        return _import_page(request, parts, visit, code, problem=text("import.no_file"), status=422)
    try:
        report = import_desks(parts.database, io.BytesIO(content), dry_run=not apply, organization=code)
    except ImportRefused as error:
        return _import_page(
            request, parts, visit, code, problem=text("import.faults"), status=422, faults=error.faults
        )
    except Invalid as error:
        return _import_page(request, parts, visit, code, problem=str(error), status=status_of(error))
    file_text = "" if apply else content.decode("utf-8-sig")
    return _import_page(request, parts, visit, code, report=report, done=apply, file_text=file_text)


def _import_page(
    request: Request, parts: Parts, visit: Visit, code: str, *, problem: str | None = None, status: int = 200,
    faults: object = None, report: ImportReport | None = None, done: bool = False, file_text: str = "",
) -> Response:  # fmt: skip
    return show(
        request, visit, "import.html", status=status, problem=problem, organization=parts.directory.organization(code),
        faults=faults, report=report, done=done, file_text=file_text, limit=LISTED,
        notice=text("import.done") if done else None,
    )  # fmt: skip
