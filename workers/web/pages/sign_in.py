"""Signing in and out, and one's own account."""

from __future__ import annotations

import math
import re
import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from roost.directory.rules import BadField
from roost.errors import RoostError
from roost.people.sessions import NotSignedIn, WrongPassword
from roost.people.sign_in_limits import TooManyTries
from roost.people.weak_passwords import WeakPassword
from workers.web.pages.render import show
from workers.web.pages.visit import (
    StaleForm,
    TheForm,
    TheParts,
    TheVisit,
    Visit,
    address_of,
    checked_form,
    cookie_name,
    find_visit,
    forget_cookie,
    form_proof,
    local_path,
    set_cookie,
    text_of,
)
from workers.web.parts import Parts
from workers.web.problems import headers_of, status_of
from workers.web.texts import text

router = APIRouter(include_in_schema=False)
#: The cookie that ties a sign-in form to the browser it was given to.
FORM_COOKIE = "roost-form"
_FORM_SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
#: The cookie by which a browser is known in which somebody has signed in before, and the seconds that it lasts.
KNOWN_COOKIE, KNOWN_FOR = "roost-known", 365 * 86_400


@router.get("/")
def start(visit: TheVisit) -> Response:
    """Go where this person's work is."""
    person = visit.person
    if person.number:
        return RedirectResponse(f"/extensions/{person.extension}", 303)
    return RedirectResponse(
        f"/organizations/{person.organization}" if person.organization else "/cluster", 303
    )


@router.get("/sign-in")
def ask_to_sign_in(request: Request, parts: TheParts, next: str = "/") -> Response:  # noqa: A002 - the field's name in the address
    """Show the form; who is signed in already goes on."""
    try:
        find_visit(request, parts)
    except NotSignedIn:
        return _form(request, parts, to=next)
    return RedirectResponse(local_path(next), 303)


@router.post("/sign-in")
async def sign_in(request: Request, parts: TheParts) -> Response:
    """Open a session: always a new one, whatever cookie came along."""
    try:
        form = await checked_form(request, request.cookies.get(cookie_name(parts.settings, FORM_COOKIE), ""))
    except StaleForm as error:
        return _form(request, parts, problem=text("sign_in.form_old"), status=status_of(error))
    to, login = text_of(form, "next"), text_of(form, "login")[:64]
    try:
        signed_in = await run_in_threadpool(
            parts.sessions.sign_in,
            login.strip(),
            text_of(form, "password"),
            address_of(request),
            _known(request, parts),
        )
    except (WrongPassword, TooManyTries) as error:
        return _form(
            request, parts, to=to, login=login, problem=_why(error), error=error, status=status_of(error)
        )
    old = request.cookies.get(cookie_name(parts.settings), "")
    if old:
        await run_in_threadpool(parts.sessions.end, old[:100])
    response = RedirectResponse(local_path(to), 303)
    set_cookie(response, parts.settings, signed_in.secret)
    set_cookie(response, parts.settings, signed_in.browser, KNOWN_COOKIE, KNOWN_FOR)
    forget_cookie(response, parts.settings, FORM_COOKIE)
    return response


@router.post("/sign-out")
def sign_out(parts: TheParts, visit: TheVisit, _form_checked: TheForm) -> Response:
    """End this session."""
    parts.sessions.end(visit.secret)
    return _signed_out(parts)


@router.get("/account")
def show_account(request: Request, visit: TheVisit) -> Response:
    """Show who one is."""
    return _account(request, visit)


@router.post("/account/password")
def change_password(request: Request, parts: TheParts, visit: TheVisit, form: TheForm) -> Response:
    """Change one's own password, which ends every session. Tries at the old one count as tries to sign in."""
    new = text_of(form, "new")
    if new != text_of(form, "again"):
        return _account(request, visit, text("account.differ"), 422)
    try:
        proof = parts.sessions.sign_in(
            visit.person.login, text_of(form, "old"), address_of(request), _known(request, parts)
        )
        parts.sessions.end(proof.secret)
        parts.people.set_password(visit.person.login, new)
    except WrongPassword:
        return _account(request, visit, text("account.wrong"), 403)
    except TooManyTries as error:
        return _account(request, visit, _why(error), 429)
    except (BadField, WeakPassword) as error:
        return _account(request, visit, str(error), 422)
    return _signed_out(parts)


@router.post("/account/end-sessions")
def end_sessions(parts: TheParts, visit: TheVisit, _form_checked: TheForm) -> Response:
    """End every session of one's own."""
    parts.sessions.end_all(visit.person.id)
    return _signed_out(parts)


def _known(request: Request, parts: Parts) -> str:
    return request.cookies.get(cookie_name(parts.settings, KNOWN_COOKIE), "")


def _account(request: Request, visit: Visit, problem: str | None = None, status: int = 200) -> Response:
    return show(request, visit, "account.html", status=status, problem=problem)


def _signed_out(parts: Parts) -> Response:
    response = RedirectResponse("/sign-in?said=sign_in.ended", 303)
    forget_cookie(response, parts.settings)
    return response


def _form(
    request: Request, parts: Parts, *, to: str = "/", login: str = "", problem: str | None = None, status: int = 200,
    error: RoostError | None = None,
) -> Response:  # fmt: skip
    # The same for all of a browser's tabs: a form in one would else end the validity of that in another.
    given = request.cookies.get(cookie_name(parts.settings, FORM_COOKIE), "")
    secret = given if _FORM_SECRET.fullmatch(given) else secrets.token_urlsafe(24)
    response = show(
        request, None, "sign_in.html", status=status, csrf=form_proof(secret), next=local_path(to), login=login,
        problem=problem,
    )  # fmt: skip
    set_cookie(response, parts.settings, secret, FORM_COOKIE)
    response.headers.update(headers_of(error) if error else {})
    return response


def _why(error: WrongPassword | TooManyTries) -> str:
    if isinstance(error, TooManyTries):
        return text("sign_in.limited", minutes=math.ceil(error.wait / 60))
    return text("sign_in.wrong")
