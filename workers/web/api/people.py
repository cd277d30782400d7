"""People and tokens over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from roost.directory.fields import TOKEN_NAME, ExtensionKey, parse_duration
from roost.people.access import Action, Asker, Right, demand, may
from roost.people.person import PASSWORD, Person, Role, UnknownPerson
from roost.people.tokens import UnknownToken
from workers.web.api import paging
from workers.web.api.access import TheAsker, TheParts, scope_of
from workers.web.api.models import Given, Page, Shown
from workers.web.api.values import Code, DisplayName, Duration, Key, Login
from workers.web.parts import Parts

router = APIRouter(tags=["people and tokens"])
Password = Annotated[str, PASSWORD]
PersonInPath = Annotated[Login, Path(description="What the person signs in with.")]
TokenInPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="The token's id.")]


class ShownPerson(Shown):
    """Somebody who may sign in to the page."""

    login: str
    name: str
    role: str
    organization: str | None
    extension: str | None
    enabled: bool
    created_at: datetime


class NewPerson(Given):
    """An operator of the cluster, an administrator of `organization`, or the owner of `extension`."""

    login: Login
    password: Password
    role: Role
    organization: Code | None = None
    extension: Key | None = None
    name: DisplayName = ""


class PersonChange(Given):
    """A new password, or whether they may sign in; their sessions end."""

    password: Password | None = None
    enabled: bool | None = None


class ShownToken(Shown):
    """A token; never what it is."""

    id: int
    name: str
    organization: str | None
    access: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    used_at: datetime | None


class NewToken(Given):
    """A scope: an organization, or null for the cluster; and what may be done in it."""

    name: Annotated[str, TOKEN_NAME]
    access: Literal["read", "operate", "administer"] = "read"
    organization: Code | None = None
    lifetime: Duration | None = None


class MadeToken(Shown):
    """The token itself is shown this one time."""

    id: int
    token: str


@router.get("/people")
def list_people(
    parts: TheParts, asker: TheAsker, organization: Annotated[Code | None, Query()] = None,
    limit: paging.Limit = 100, cursor: paging.Cursor = None,
) -> Page[ShownPerson]:  # fmt: skip
    """List people in order of login."""
    organization = scope_of(asker, Action.MANAGE_PEOPLE, organization)
    rows = parts.people.people(organization, after=paging.after(cursor) or "", limit=limit + 1)
    return paging.page(ShownPerson, rows, limit, lambda row: [row.login])


@router.post("/people", status_code=201)
def add_person(parts: TheParts, asker: TheAsker, new: NewPerson) -> ShownPerson:
    """Add a person."""
    belongs_to = ExtensionKey.parse(new.extension).organization if new.extension else new.organization
    demand(asker, Action.MANAGE_PEOPLE, belongs_to)
    parts.people.add(
        new.login, new.password, new.role, organization=belongs_to, extension=new.extension, name=new.name
    )
    return ShownPerson.model_validate(parts.people.person(new.login))


@router.patch("/people/{login}")
def change_person(parts: TheParts, asker: TheAsker, login: PersonInPath, change: PersonChange) -> ShownPerson:
    """Give a new password, or take away or give back the right to sign in."""
    demand_person(parts, asker, login)
    if change.password is not None:
        parts.people.set_password(login, change.password)
    if change.enabled is not None:
        parts.people.set_enabled(login, enabled=change.enabled)
    return ShownPerson.model_validate(parts.people.person(login))


@router.delete("/people/{login}", status_code=204)
def remove_person(parts: TheParts, asker: TheAsker, login: PersonInPath) -> None:
    """Remove a person and their sessions."""
    demand_person(parts, asker, login)
    parts.people.remove(login)


@router.get("/tokens")
def list_tokens(
    parts: TheParts, asker: TheAsker, organization: Annotated[Code | None, Query()] = None,
    limit: paging.Limit = 100, cursor: paging.Cursor = None,
) -> Page[ShownToken]:  # fmt: skip
    """List tokens in order of id."""
    organization = scope_of(asker, Action.MANAGE_TOKENS, organization)
    after = paging.after(cursor) or "0"
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise paging.BadCursor
    rows = parts.tokens.tokens(organization, after=int(after), limit=limit + 1)
    return paging.page(ShownToken, rows, limit, lambda row: [str(row.id)])


@router.post("/tokens", status_code=201)
def add_token(parts: TheParts, asker: TheAsker, new: NewToken) -> MadeToken:
    """Make a token."""
    demand(asker, Action.MANAGE_TOKENS, new.organization)
    lifetime = parse_duration(new.lifetime) if new.lifetime else None
    number, secret = parts.tokens.add(
        new.name, Right.parse(new.access), new.organization, lifetime=lifetime, made_by=asker.name
    )
    return MadeToken(id=number, token=secret)


@router.delete("/tokens/{token}", status_code=204)
def remove_token(parts: TheParts, asker: TheAsker, token: TokenInPath) -> None:
    """End a token; within a second no process takes it any more."""
    demand_token(parts, asker, token)
    parts.tokens.remove(token)


def demand_person(parts: Parts, asker: Asker, login: str) -> Person:
    """The person, if the asker may manage them; another organization's person is simply unknown."""
    demand(asker, Action.MANAGE_PEOPLE, asker.organization)
    person = parts.people.person(login)
    if not may(asker, Action.MANAGE_PEOPLE, person.organization):
        raise UnknownPerson(f"({login})")
    return person


def demand_token(parts: Parts, asker: Asker, token: int) -> None:
    """Whether the asker may end the token; another organization's is simply unknown."""
    demand(asker, Action.MANAGE_TOKENS, asker.organization)
    if not may(asker, Action.MANAGE_TOKENS, parts.tokens.token(token).organization):
        raise UnknownToken
