"""An operator's pages: the cluster as a picture, and the organizations."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from roost.directory import LIMIT
from roost.errors import RoostError
from roost.nodes.status import request_audit
from roost.people.access import Action, demand
from workers.web.live.hub import stamp_of
from workers.web.pages.cached_page import answer_from_cache, page_route
from workers.web.pages.render import show
from workers.web.pages.visit import TheForm, TheParts, TheVisit, Visit, find_visit, text_of
from workers.web.parts import Parts
from workers.web.problems import status_of

router = APIRouter(include_in_schema=False)


def show_cluster(request: Request, parts: Parts) -> Response:
    """Show every node, queue and process: the picture that the viewers of this process share."""
    visit = find_visit(request, parts)
    demand(visit.asker, Action.SEE_CLUSTER)
    fragments = parts.cluster()
    stamp = stamp_of(fragments)

    def make() -> tuple[str, dict[str, Any]]:
        nodes = [name for name in fragments if name.startswith("node-")]
        return stamp, {"fragments": fragments, "nodes": nodes, "stamp": stamp}

    return answer_from_cache(request, parts, visit, ("cluster.html", "/cluster", None), stamp, make)


CACHED = (page_route("/cluster", show_cluster),)


@router.post("/cluster/audit")
def audit(parts: TheParts, visit: TheVisit, _form_checked: TheForm) -> Response:
    """Have every node's table compared with the database."""
    demand(visit.asker, Action.AUDIT)
    request_audit(parts.database)
    return RedirectResponse("/cluster?said=cluster.audit_started", 303)


@router.get("/organizations")
def show_organizations(request: Request, parts: TheParts, visit: TheVisit) -> Response:
    """List the tenants."""
    demand(visit.asker, Action.SEE_CLUSTER)
    return _organizations(request, parts, visit)


@router.post("/organizations")
def add_organization(request: Request, parts: TheParts, visit: TheVisit, form: TheForm) -> Response:
    """Add a tenant."""
    demand(visit.asker, Action.CHANGE_ORGANIZATIONS)
    try:
        parts.directory.add_organization(text_of(form, "code").strip(), name=text_of(form, "name").strip())
    except RoostError as error:
        if status_of(error) not in {409, 422}:
            raise
        return _organizations(request, parts, visit, problem=str(error), status=status_of(error))
    return RedirectResponse("/organizations?said=organizations.added", 303)


def _organizations(
    request: Request, parts: Parts, visit: Visit, problem: str | None = None, status: int = 200
) -> Response:
    rows = parts.directory.organizations(limit=LIMIT)
    return show(request, visit, "organizations.html", organizations=rows, problem=problem, status=status)
