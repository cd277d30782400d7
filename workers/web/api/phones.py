"""Phones over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from roost.people.access import Action, demand
from roost.views.occupants import who_was_on
from roost.views.whereabouts import where_is_phone
from workers.web.api import paging
from workers.web.api.access import TheAsker, TheParts, by, demand_extension, demand_phone, scope_of
from workers.web.api.models import Display, NewPhone, Occupant, Page, Phone, PhoneChange, WherePhone
from workers.web.api.values import Code, Moment, NodeName, PhoneName, Search

router = APIRouter(tags=["phones"])
InPath = Annotated[PhoneName, Path(description="The phone's name: its SIP endpoint.")]


@router.get("/phones")
def list_phones(
    parts: TheParts,
    asker: TheAsker,
    organization: Annotated[Code | None, Query()] = None,
    node: Annotated[NodeName | None, Query()] = None,
    search: Annotated[Search | None, Query(description="A part of a name.")] = None,
    limit: paging.Limit = 100,
    cursor: paging.Cursor = None,
) -> Page[Phone]:
    """List phones in order of name."""
    organization = scope_of(asker, Action.SEE_ORGANIZATION, organization)
    rows = parts.directory.phones(
        organization=organization, node=node, search=search, after=paging.after(cursor), limit=limit + 1
    )
    return paging.page(Phone, rows, limit, lambda row: [row.name])


@router.post("/phones", status_code=201)
def add_phone(parts: TheParts, asker: TheAsker, new: NewPhone) -> Phone:
    """Add a phone, homed on a node."""
    demand(asker, Action.CHANGE_PHONES, new.organization)
    if new.base is not None:
        demand_extension(asker, Action.CHANGE_PHONES, new.base)
    given = new.given()
    parts.directory.add_phone(given.pop("name"), **given)
    return Phone.model_validate(parts.directory.phone(new.name))


@router.get("/phones/{name}")
def read_phone(parts: TheParts, asker: TheAsker, name: InPath) -> Phone:
    """Read one phone."""
    return Phone.model_validate(demand_phone(parts, asker, Action.SEE_ORGANIZATION, name))


@router.patch("/phones/{name}")
def change_phone(parts: TheParts, asker: TheAsker, name: InPath, change: PhoneChange) -> Phone:
    """Change what is given. A guest goes home from a phone that is disabled or given another base."""
    demand_phone(parts, asker, Action.CHANGE_PHONES, name)
    if change.base is not None:
        demand_extension(asker, Action.CHANGE_PHONES, change.base)
    parts.directory.change_phone(name, **change.given())
    return Phone.model_validate(parts.directory.phone(name))


@router.delete("/phones/{name}", status_code=204)
def remove_phone(parts: TheParts, asker: TheAsker, name: InPath) -> None:
    """Remove a phone; its guest goes home first."""
    demand_phone(parts, asker, Action.CHANGE_PHONES, name)
    parts.directory.remove_phone(name)


@router.post("/phones/{name}/unlock", status_code=204)
def unlock_phone(parts: TheParts, asker: TheAsker, name: InPath) -> None:
    """Forget the wrong codes keyed on it so far, and the locks they led to."""
    demand_phone(parts, asker, Action.CHANGE_PHONES, name)
    parts.directory.unlock_phone(name, by(asker))


@router.get("/phones/{name}/whereabouts")
def find_phone(parts: TheParts, asker: TheAsker, name: InPath) -> WherePhone:
    """Say who a phone acts as, and where its own extension rings meanwhile."""
    demand_phone(parts, asker, Action.SEE_ORGANIZATION, name)
    return WherePhone.model_validate(where_is_phone(parts.database, name))


@router.get("/phones/{name}/display")
def display_phone(parts: TheParts, asker: TheAsker, name: InPath) -> Display:
    """Say who sits at a phone, for its provisioning."""
    demand_phone(parts, asker, Action.SEE_ORGANIZATION, name)
    return Display.of(where_is_phone(parts.database, name))


@router.get("/phones/{name}/occupant")
def find_occupant(parts: TheParts, asker: TheAsker, name: InPath, at: Annotated[Moment, Query()]) -> Occupant:
    """Say who was on a phone at a time."""
    demand_phone(parts, asker, Action.SEE_ORGANIZATION, name)
    return Occupant.model_validate(who_was_on(parts.database, name, at, organization=asker.organization))
