"""An extension's page: for its owner, and for who administers it."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from roost.database import Database
from roost.directory import Directory
from roost.directory.changes import By
from roost.directory.fields import ExtensionKey
from roost.directory.rules import BadField
from roost.moves.at_most_once import RequestIdReused
from roost.moves.requests import Answer
from roost.moves.secret_codes import is_code
from roost.people.access import Action, demand
from roost.views.desks import extensions_shown, watched_extensions
from roost.views.fingerprints import Rows
from roost.views.journal import latest_of
from roost.views.whereabouts import where_is_extension
from workers.web.pages.cached_page import CachedPage, answer_page, page_route
from workers.web.pages.render import show
from workers.web.pages.visit import TheForm, TheParts, TheVisit, Visit, session_secret, text_of
from workers.web.parts import Parts
from workers.web.problems import refusal
from workers.web.texts import text

router = APIRouter(include_in_schema=False, prefix="/extensions/{key}")
#: Entries under "Lately".
LATELY = 10
_KEY = re.compile(r"[\x21-\x7e]{1,60}")


def show_extension(request: Request, parts: Parts) -> Response:
    """Show the page."""
    session_secret(request, parts)  # who is not signed in hears only that
    extension = ExtensionKey.parse(request.path_params["key"])
    named = extension._asdict()
    page = CachedPage(
        "extension.html", f"/extensions/{extension}", (Action.SEE_EXTENSION, *extension),
        (extensions_shown([extension]), Rows("list_lately", named | {"entries": LATELY})),
        lambda snapshot: _values(snapshot, parts, extension),
    )  # fmt: skip
    return answer_page(request, parts, page)


CACHED = (page_route("/extensions/{key}", show_extension),)


@router.post("/code")
async def set_code(request: Request, parts: TheParts, visit: TheVisit, form: TheForm, key: str) -> Response:
    """Set or replace the secret code, typed twice."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.SET_CODE, *extension)
    code = text_of(form, "code")
    if not is_code(code):
        return await _again(request, parts, visit, extension, text("extension.code_bad"), 422)
    if code != text_of(form, "again"):
        return await _again(request, parts, visit, extension, text("extension.code_differ"), 422)
    asked = parts.asking.set_code(visit.asker, form_key(form), extension, code)
    return await _tell(request, parts, visit, extension, asked)


@router.post("/code/clear")
async def clear_code(request: Request, parts: TheParts, visit: TheVisit, form: TheForm, key: str) -> Response:
    """Clear the secret code."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.SET_CODE, *extension)
    asked = parts.asking.set_code(visit.asker, form_key(form), extension, None)
    return await _tell(request, parts, visit, extension, asked)


@router.post("/return")
async def return_home(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, key: str
) -> Response:
    """Return to base."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.RETURN, *extension)
    asked = parts.asking.return_home(visit.asker, form_key(form), extension)
    return await _tell(request, parts, visit, extension, asked)


@router.post("/virtualize")
async def virtualize(request: Request, parts: TheParts, visit: TheVisit, form: TheForm, key: str) -> Response:
    """Move the extension to a phone, without its code."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.VIRTUALIZE, *extension)
    phone, reason = text_of(form, "phone").strip(), text_of(form, "reason")
    asked = parts.asking.virtualize(visit.asker, form_key(form), extension, phone, reason)
    return await _tell(request, parts, visit, extension, asked, phone=phone, reason=reason)


@router.post("/allow")
def allow(parts: TheParts, visit: TheVisit, form: TheForm, key: str) -> Response:
    """Allow or disallow virtualization on this extension."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.ALLOW_VIRTUALIZATION, *extension)
    allowed = text_of(form, "allow") == "yes"
    parts.directory.change_extension(key, allows_virtualization=allowed)
    said = "outcome.allowed" if allowed else "outcome.disallowed"
    return RedirectResponse(f"/extensions/{key}?said={said}", 303)


@router.post("/unlock")
def unlock(parts: TheParts, visit: TheVisit, form: TheForm, key: str) -> Response:  # noqa: ARG001 - the form is what proves the visit
    """End a lock after too many wrong codes."""
    extension = ExtensionKey.parse(key)
    demand(visit.asker, Action.CHANGE_EXTENSIONS, *extension)
    parts.directory.unlock_extension(key, By(visit.asker.origin, visit.asker.name))
    return RedirectResponse(f"/extensions/{key}?said=outcome.unlocked", 303)


def form_key(form: Any) -> str | None:
    """The id of the filled-in form, if it is one of ours."""
    key = text_of(form, "key")
    return key if _KEY.fullmatch(key) else None


async def _tell(
    request: Request,
    parts: Parts,
    visit: Visit,
    extension: ExtensionKey,
    asked: Awaitable[Answer],
    **given: str,
) -> Response:
    """What came of it; a form that did not do it is shown again, with a key of its own."""
    try:
        answer = await asked
    except BadField as error:
        return await _again(request, parts, visit, extension, str(error), 422, **given)
    except RequestIdReused:
        return await _again(request, parts, visit, extension, text("fault.request_id_reused"), 422, **given)
    if refusal(answer.outcome) is None:
        return RedirectResponse(f"/extensions/{extension}?said=outcome.{answer.outcome}", 303)
    return await _again(
        request, parts, visit, extension, text(f"outcome.{answer.outcome}") + ".", 409, **given
    )


async def _again(
    request: Request,
    parts: Parts,
    visit: Visit,
    extension: ExtensionKey,
    problem: str,
    status: int,
    **given: str,
) -> Response:
    return await run_in_threadpool(_page, request, parts, visit, extension, problem, status, **given)


def _page(
    request: Request, parts: Parts, visit: Visit, extension: ExtensionKey, problem: str | None = None,
    status: int = 200, phone: str = "", reason: str = "",
) -> Response:  # fmt: skip
    values = _values(parts.database, parts, extension) | {"phone": phone, "reason": reason}
    return show(
        request, visit, "extension.html", status=status, problem=problem, path=f"/extensions/{extension}", **values
    )  # fmt: skip


def _values(database: Database, parts: Parts, extension: ExtensionKey) -> dict[str, Any]:
    """What the page shows. Whatever is read here must be in its fingerprints."""
    key = str(extension)
    return {
        "stamp": watched_extensions(database, [extension]).get(key, ""), "phone": "", "reason": "",
        "record": Directory(database).extension(key), "place": where_is_extension(database, key),
        "lately": latest_of(database, extension, LATELY), "center": parts.settings.feature_code,
    }  # fmt: skip
