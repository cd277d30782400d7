"""An administrator's pages: the desks as a picture, and one desk."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from roost.database import Database
from roost.directory import Directory
from roost.directory.changes import By
from roost.directory.errors import UnknownPhone
from roost.directory.fields import ExtensionKey
from roost.directory.rules import BadField
from roost.moves.at_most_once import RequestIdReused
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer
from roost.people.access import Action, demand, may
from roost.views.desks import PART, DeskCounts, desks_shown, list_spare_phones, read_desks
from roost.views.fingerprints import Rows
from roost.views.whereabouts import where_is_phone
from workers.web.live.desk_cards import ShownPart, render_desks
from workers.web.live.hub import stamp_of
from workers.web.pages.cached_page import CachedPage, answer_page, organization_in_path, page_route
from workers.web.pages.extension import form_key
from workers.web.pages.render import show
from workers.web.pages.visit import TheForm, TheParts, TheVisit, Visit, text_of
from workers.web.parts import Parts
from workers.web.problems import refusal
from workers.web.texts import text

router = APIRouter(include_in_schema=False, prefix="/organizations/{code}")
#: Names of phones without an extension that are shown.
SPARE_PHONES = 100


def show_organization(request: Request, parts: Parts) -> Response:
    """Show the desks."""
    code = organization_in_path(request, parts)
    which = ShownPart.of_address(
        *(request.query_params.get(name, "") for name in ("q", "part", "behind", "ahead"))
    )
    counts: DeskCounts | None = None

    def about() -> tuple[ShownPart, DeskCounts | None]:
        nonlocal counts
        one_part = which == ShownPart() and parts.desk_counts.is_small(code)
        counts = None if one_part else parts.desk_counts.of(code)
        return which, counts

    def values(snapshot: Database) -> dict[str, Any]:
        made = _values(snapshot, code, which, counts)
        if counts is None and made["counts"].desks > PART:
            parts.desk_counts.of(code)  # it is not small any more
        return made

    page = CachedPage(
        "desks.html", f"/organizations/{code}", (Action.SEE_ORGANIZATION, code),
        (
            desks_shown(code, *which),
            Rows("name_organization", {"organization": code}),
            Rows("list_spare_phones", {"organization": code, "limit": SPARE_PHONES}),
        ),
        values, about,
    )  # fmt: skip
    return answer_page(request, parts, page)


CACHED = (page_route("/organizations/{code}", show_organization),)


@router.post("/virtualize")
async def virtualize(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str
) -> Response:
    """Virtualize anybody anywhere in the organization."""
    demand(visit.asker, Action.VIRTUALIZE, code)
    given = {name: text_of(form, name).strip() for name in ("number", "phone", "reason")}
    outcome, problem = await _virtualize(parts, visit, form, code, **given)
    if outcome is not None:
        return RedirectResponse(f"/organizations/{code}?said=outcome.{outcome}", 303)
    return await run_in_threadpool(_desks, request, parts, visit, code, problem=problem, status=409, **given)


@router.get("/desks/{phone}")
def show_desk(request: Request, parts: TheParts, visit: TheVisit, code: str, phone: str) -> Response:
    """Show one desk."""
    demand(visit.asker, Action.SEE_ORGANIZATION, code)
    return _desk(request, parts, visit, code, phone)


@router.post("/desks/{phone}/virtualize")
async def virtualize_here(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str, phone: str
) -> Response:
    """Virtualize somebody on this phone."""
    demand(visit.asker, Action.VIRTUALIZE, code)
    given = {name: text_of(form, name).strip() for name in ("number", "reason")}
    outcome, problem = await _virtualize(parts, visit, form, code, phone=phone, **given)
    if outcome is not None:
        return RedirectResponse(f"/organizations/{code}/desks/{phone}?said=outcome.{outcome}", 303)
    return await run_in_threadpool(
        _desk, request, parts, visit, code, phone, problem=problem, status=409, **given
    )


@router.post("/desks/{phone}/return")
async def return_from_here(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str, phone: str
) -> Response:
    """Bring home the guest of this phone, or its own extension."""
    extension = ExtensionKey.parse(text_of(form, "extension"))
    demand(visit.asker, Action.RETURN, *extension)
    demand(visit.asker, Action.SEE_ORGANIZATION, code)
    try:
        answer = await parts.asking.return_home(visit.asker, form_key(form), extension, _reason(form))
    except RequestIdReused:
        problem = text("fault.request_id_reused")
    else:
        if refusal(answer.outcome) is None:
            return RedirectResponse(f"/organizations/{code}/desks/{phone}?said=outcome.{answer.outcome}", 303)
        problem = text(f"outcome.{answer.outcome}") + "."
    return await run_in_threadpool(_desk, request, parts, visit, code, phone, problem=problem, status=409)


@router.post("/desks/{phone}/unlock")
def unlock_phone(parts: TheParts, visit: TheVisit, form: TheForm, code: str, phone: str) -> Response:  # noqa: ARG001 - the form is what proves the visit
    """End a lock after too many wrong codes keyed on this phone."""
    demand(visit.asker, Action.CHANGE_PHONES, code)
    if parts.directory.phone(phone).organization != code:
        raise UnknownPhone(f"({phone})")
    parts.directory.unlock_phone(phone, By(visit.asker.origin, visit.asker.name))
    return RedirectResponse(f"/organizations/{code}/desks/{phone}?said=outcome.unlocked", 303)


async def _virtualize(
    parts: Parts, visit: Visit, form: Any, code: str, *, number: str, phone: str, reason: str
) -> tuple[Outcome | None, str]:
    """Ask for it. What it came to; or None, and what is the matter."""
    try:
        extension = ExtensionKey(code, number)
        answer: Answer = await parts.asking.virtualize(visit.asker, form_key(form), extension, phone, reason)
    except BadField as error:
        return None, str(error)
    except RequestIdReused:
        return None, text("fault.request_id_reused")
    if refusal(answer.outcome) is None:
        return answer.outcome, ""
    return None, text(f"outcome.{answer.outcome}") + "."


def _desks(
    request: Request, parts: Parts, visit: Visit, code: str, *, number: str, phone: str, reason: str, problem: str,
    status: int,
) -> Response:  # fmt: skip
    given = {"number": number, "phone": phone, "reason": reason}
    values = _values(parts.database, code, ShownPart(), parts.desk_counts.of(code)) | given
    path = f"/organizations/{code}"
    return show(request, visit, "desks.html", status=status, problem=problem, path=path, **values)


def _values(database: Database, code: str, which: ShownPart, counts: DeskCounts | None) -> dict[str, Any]:
    """What the page shows. Whatever is read here must be in its fingerprints."""
    part = read_desks(database, code, **which._asdict(), counts=counts)
    fragments = render_desks(part.desks, part.counts, code)
    first = (which.part - 1) * PART + 1
    return {
        "organization": Directory(database).organization_name(code), "desks": part.desks, "q": which.search,
        "fragments": fragments, "shown": [f"desk-{desk.number}" for desk in part.desks], "stamp": stamp_of(fragments),
        "counts": part.counts, "which": which, "more": part.more, "first": first, "last": first + len(part.desks) - 1,
        "spare": list_spare_phones(database, code, limit=SPARE_PHONES), "number": "", "phone": "", "reason": "",
    }  # fmt: skip


def _desk(
    request: Request, parts: Parts, visit: Visit, code: str, phone: str, *, number: str = "", reason: str = "",
    problem: str | None = None, status: int = 200,
) -> Response:  # fmt: skip
    place = where_is_phone(parts.database, phone)
    if place.organization != code or not may(visit.asker, Action.SEE_ORGANIZATION, place.organization):
        raise UnknownPhone(f"({phone})")
    allows = place.base is not None and parts.directory.extension(place.base).allows_virtualization
    return show(
        request, visit, "desk.html", status=status, problem=problem, organization=parts.directory.organization_name(code),
        place=place, allows=allows, number=number, reason=reason, path=f"/organizations/{code}/desks/{phone}",
    )  # fmt: skip


def _reason(form: Any) -> str:
    return text_of(form, "reason").strip()
