"""Organizations over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse

from roost.directory.organization_steps import take_some_steps
from roost.people.access import Action, demand
from workers.web.api import paging
from workers.web.api.access import TheAsker, TheParts
from workers.web.api.models import NewOrganization, Organization, OrganizationChange, Page
from workers.web.api.values import Code

router = APIRouter(tags=["organizations"])
#: Seconds that an answer waits for the steps of a large organization.
PATIENCE = 3.0
InPath = Annotated[Code, Path(description="The organization's code.")]


@router.get("/organizations")
def list_organizations(
    parts: TheParts, asker: TheAsker, limit: paging.Limit = 100, cursor: paging.Cursor = None
) -> Page[Organization]:
    """List organizations: those the token reaches."""
    if asker.organization is not None:
        demand(asker, Action.SEE_ORGANIZATION, asker.organization)
        rows = [parts.directory.organization(asker.organization)]
    else:
        rows = parts.directory.organizations(after=paging.after(cursor), limit=limit + 1)
    return paging.page(Organization, rows, limit, lambda row: [row.code])


@router.post("/organizations", status_code=201)
def add_organization(parts: TheParts, asker: TheAsker, new: NewOrganization) -> Organization:
    """Add an organization."""
    demand(asker, Action.CHANGE_ORGANIZATIONS)
    given = new.given()
    parts.directory.add_organization(given.pop("code"), **given)
    return Organization.model_validate(parts.directory.organization(new.code))


@router.get("/organizations/{code}")
def read_organization(parts: TheParts, asker: TheAsker, code: InPath) -> Organization:
    """Read one organization."""
    demand(asker, Action.SEE_ORGANIZATION, code)
    return Organization.model_validate(parts.directory.organization(code))


@router.patch("/organizations/{code}")
def change_organization(
    parts: TheParts, asker: TheAsker, code: InPath, change: OrganizationChange
) -> Organization:
    """Change what is given. Enabling, disabling and renaming an organization is up to the cluster's administrators.

    All of its nodes hear of these; for a large one that goes in steps, and `doing` says how far it is.
    """
    given = change.given()
    demand(asker, Action.CHANGE_POLICY, code)
    if given.keys() & {"enabled", "code"}:
        demand(asker, Action.CHANGE_ORGANIZATIONS)
    new_code = given.pop("code", code)
    parts.directory.change_organization(code, None if new_code == code else new_code, **given)
    code = new_code
    take_some_steps(parts.database, PATIENCE, code)
    return Organization.model_validate(parts.directory.organization(code))


@router.delete(
    "/organizations/{code}", status_code=204, response_model=None, responses={202: {"model": Organization}}
)
def remove_organization(
    parts: TheParts,
    asker: TheAsker,
    code: InPath,
    with_everything: Annotated[bool, Query(description="Its extensions and phones go with it.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Remove an organization. A large one goes in steps, by itself: then the answer is 202, and `doing` says how far it is."""
    demand(asker, Action.CHANGE_ORGANIZATIONS)
    if not with_everything:
        parts.directory.remove_organization(code)
        return Response(status_code=204)
    parts.directory.begin_removal(code)
    if take_some_steps(parts.database, PATIENCE, code):
        return Response(status_code=204)
    left = Organization.model_validate(parts.directory.organization(code))
    return JSONResponse(left.model_dump(mode="json"), status_code=202)
