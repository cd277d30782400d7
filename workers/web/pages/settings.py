"""An organization's policy, and its import."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from roost.directory.fields import BadField, format_duration, parse_duration, parse_wall_clock
from roost.directory.importing import LISTED, ImportRefused, ImportReport, import_desks
from roost.errors import Invalid
from roost.people.access import Action, demand
from workers.web.limits import MAX_IMPORT
from workers.web.pages.render import show
from workers.web.pages.visit import TheForm, TheParts, TheVisit, Visit, text_of
from workers.web.parts import Parts
from workers.web.problems import status_of
from workers.web.texts import text

router = APIRouter(include_in_schema=False, prefix="/organizations/{code}")
_POLICY_FIELDS = ("policy", "max_stay", "daily_return", "timezone", "lock_after", "lock_for")


@router.get("/policy")
def show_policy(request: Request, parts: TheParts, visit: TheVisit, code: str) -> Response:
    """Show what holds for the organization."""
    demand(visit.asker, Action.CHANGE_POLICY, code)
    record = parts.directory.organization(code)
    values = {
        "policy": record.policy, "timezone": record.timezone, "lock_after": str(record.lock_after),
        "lock_for": format_duration(record.lock_for),
        "max_stay": format_duration(record.max_stay) if record.max_stay else "",
        "daily_return": record.daily_return.strftime("%H:%M") if record.daily_return else "",
    }  # fmt: skip
    return show(request, visit, "policy.html", organization=record, values=values)


@router.post("/policy")
def change_policy(request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str) -> Response:
    """Change it."""
    demand(visit.asker, Action.CHANGE_POLICY, code)
    values = {name: text_of(form, name).strip() for name in _POLICY_FIELDS}
    try:
        if not (
            values["lock_after"].isascii()
            and values["lock_after"].isdigit()
            and len(values["lock_after"]) < 5
        ):
            raise BadField("The number of wrong codes that lock must be from 1 to 9999.")
        parts.directory.change_organization(
            code,
            policy=values["policy"],
            max_stay=parse_duration(values["max_stay"]) if values["max_stay"] else None,
            daily_return=parse_wall_clock(values["daily_return"]) if values["daily_return"] else None,
            timezone=values["timezone"],
            lock_after=int(values["lock_after"]),
            lock_for=parse_duration(values["lock_for"]),
        )
    except Invalid as error:
        record = parts.directory.organization(code)
        return show(
            request, visit, "policy.html", status=422, problem=str(error), organization=record, values=values
        )
    return RedirectResponse(f"/organizations/{code}/policy?said=policy.saved", 303)


@router.get("/import")
def show_import(request: Request, parts: TheParts, visit: TheVisit, code: str) -> Response:
    """Ask for a file."""
    demand(visit.asker, Action.IMPORT, code)
    return _import_page(request, parts, visit, code)


@router.post("/import")
async def take_import(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str
) -> Response:
    """Show what a file would change; the second time, with the file's text, do it."""
    demand(visit.asker, Action.IMPORT, code)
    upload = form.get("file")
    if isinstance(upload, UploadFile):
        content = await upload.read(MAX_IMPORT)
    else:
        # Browsers send a text field with CR LF line breaks, which CSV takes.
        content = text_of(form, "text").encode()
    apply = text_of(form, "apply") == "yes"
    return await run_in_threadpool(_import, request, parts, visit, code, content, apply=apply)


def _import(
    request: Request, parts: Parts, visit: Visit, code: str, content: bytes, *, apply: bool
) -> Response:
    if not content:
        return _import_page(request, parts, visit, code, problem=text("import.no_file"), status=422)
    with tempfile.TemporaryDirectory(prefix="roost-import-") as folder:
        path = Path(folder) / "import.csv"
        path.write_bytes(content)
        try:
            report = import_desks(parts.database, path, dry_run=not apply, organization=code)
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
