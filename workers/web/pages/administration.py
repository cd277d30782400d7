"""Who may sign in, and what programs open the API with: of an organization, or of the cluster."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from roost.directory import LIMIT
from roost.directory.fields import ExtensionKey, parse_duration
from roost.directory.records import OrganizationRecord
from roost.errors import Invalid, RoostError
from roost.people.access import Action, Right, demand
from roost.people.person import Role
from workers.web.api.people import demand_person, demand_token
from workers.web.pages.render import show
from workers.web.pages.visit import TheForm, TheParts, TheVisit, Visit, text_of
from workers.web.parts import Parts
from workers.web.problems import status_of

router = APIRouter(include_in_schema=False)
_PERSON_FIELDS = ("login", "name", "role", "organization", "extension")
_ACCESS = ("read", "operate", "administer")


@router.get("/people")
@router.get("/organizations/{code}/people")
def show_people(request: Request, parts: TheParts, visit: TheVisit, code: str | None = None) -> Response:
    """List people."""
    demand(visit.asker, Action.MANAGE_PEOPLE, code)
    return _people(request, parts, visit, code)


@router.post("/people")
@router.post("/organizations/{code}/people")
def add_person(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str | None = None
) -> Response:
    """Add a person."""
    given = {name: text_of(form, name).strip() for name in _PERSON_FIELDS}
    organization, extension = code or given["organization"] or None, given["extension"] or None
    try:
        role = _role(given["role"])
        if extension and "*" not in extension and organization:
            extension = f"{organization}*{extension}"
        if role is Role.OPERATOR:
            organization = None
        if role is Role.OWNER and extension:
            organization = ExtensionKey.parse(extension).organization
        demand(visit.asker, Action.MANAGE_PEOPLE, organization)
        parts.people.add(
            given["login"], text_of(form, "password"), role, organization=organization,
            extension=extension if role is Role.OWNER else None, name=given["name"],
        )  # fmt: skip
    except RoostError as error:
        if status_of(error) not in {404, 409, 422}:
            raise
        return _people(request, parts, visit, code, given=given, problem=str(error), status=status_of(error))
    return RedirectResponse(_base(code, "people") + "?said=people.done", 303)


@router.post("/people/change")
@router.post("/organizations/{code}/people/change")
def change_person(parts: TheParts, visit: TheVisit, form: TheForm, code: str | None = None) -> Response:
    """Let a person sign in, or no more; or remove them."""
    demand(visit.asker, Action.MANAGE_PEOPLE, code)
    person = demand_person(parts, visit.asker, text_of(form, "login"))
    match text_of(form, "do"):
        case "enable" | "disable" as wish:
            parts.people.set_enabled(person.login, enabled=wish == "enable")
        case "remove":
            parts.people.remove(person.login)
        case _:
            raise Invalid
    return RedirectResponse(_base(code, "people") + "?said=people.done", 303)


@router.get("/tokens")
@router.get("/organizations/{code}/tokens")
def show_tokens(request: Request, parts: TheParts, visit: TheVisit, code: str | None = None) -> Response:
    """List tokens."""
    demand(visit.asker, Action.MANAGE_TOKENS, code)
    return _tokens(request, parts, visit, code)


@router.post("/tokens")
@router.post("/organizations/{code}/tokens")
def add_token(
    request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str | None = None
) -> Response:
    """Make a token, and show it this one time."""
    organization = code or text_of(form, "organization").strip() or None
    demand(visit.asker, Action.MANAGE_TOKENS, organization)
    access, lifetime = text_of(form, "access"), text_of(form, "lifetime").strip()
    try:
        if access not in _ACCESS:
            raise Invalid
        _, secret = parts.tokens.add(
            text_of(form, "name"), Right.parse(access), organization,
            lifetime=parse_duration(lifetime) if lifetime else None, made_by=visit.person.login,
        )  # fmt: skip
    except RoostError as error:
        if status_of(error) not in {404, 409, 422}:
            raise
        return _tokens(request, parts, visit, code, problem=str(error), status=status_of(error))
    return _tokens(request, parts, visit, code, made=secret)


@router.post("/tokens/end")
@router.post("/organizations/{code}/tokens/end")
def end_token(parts: TheParts, visit: TheVisit, form: TheForm, code: str | None = None) -> Response:
    """End a token."""
    demand(visit.asker, Action.MANAGE_TOKENS, code)
    number = text_of(form, "id")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Invalid
    demand_token(parts, visit.asker, int(number))
    parts.tokens.remove(int(number))
    return RedirectResponse(_base(code, "tokens") + "?said=tokens.ended", 303)


def _role(given: str) -> Role:
    try:
        return Role(given)
    except ValueError:
        raise Invalid from None


def _people(
    request: Request, parts: Parts, visit: Visit, code: str | None, *, given: dict[str, str] | None = None,
    problem: str | None = None, status: int = 200,
) -> Response:  # fmt: skip
    roles = [role.value for role in Role if code is None or role is not Role.OPERATOR]
    return show(
        request, visit, "people.html", status=status, problem=problem, organization=_organization(parts, code),
        people=parts.people.people(code, limit=LIMIT), roles=roles, path=_base(code, "people"),
        given=given or dict.fromkeys(_PERSON_FIELDS, ""),
    )  # fmt: skip


def _tokens(
    request: Request, parts: Parts, visit: Visit, code: str | None, *, made: str | None = None,
    problem: str | None = None, status: int = 200,
) -> Response:  # fmt: skip
    return show(
        request, visit, "tokens.html", status=status, problem=problem, organization=_organization(parts, code),
        tokens=parts.tokens.tokens(code, limit=LIMIT), made=made, path=_base(code, "tokens"),
    )  # fmt: skip


def _organization(parts: Parts, code: str | None) -> OrganizationRecord | None:
    return parts.directory.organization(code) if code is not None else None


def _base(code: str | None, page: str) -> str:
    return f"/organizations/{code}/{page}" if code is not None else f"/{page}"
