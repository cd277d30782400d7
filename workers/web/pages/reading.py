"""How a page that is read often is answered: one look tells the session and whether what it shows is as it was.

The session and the right are asked for at each reading. Only the text is kept, for each person apart; it is made anew
from one moment of the database, so that a fingerprint and the page kept under it belong together.

Such a page is a plain route of Starlette's, found before all others: to find it among the API's and to solve its
dependencies took FastAPI longer than all the rest of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from roost.database import Database
from roost.directory.fields import ORGANIZATION_CODE
from roost.people.access import Action, demand
from roost.views.fingerprints import Rows, read_prints
from workers.web.pages.render import notice_of, render_page
from workers.web.pages.visit import AnyVisit, Visit, new_form_key, session_secret
from workers.web.parts import Parts


def page_route(path: str, show: Callable[[Request, Parts], Response]) -> Route:
    """The route of a page; `show` runs in a thread."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(show, request, request.app.state.parts)

    return Route(path, endpoint, methods=["GET"])


def organization_of(request: Request, parts: Parts) -> str:
    """The organization in the address. Raises NotSignedIn, without a look at the address, and BadField."""
    session_secret(request, parts)
    code: str = request.path_params["code"]
    return ORGANIZATION_CODE.check(code)


@dataclass(frozen=True, slots=True)
class Reading:
    """A page: who may see it, the rows it is made of, and how its values are read from one moment.

    `about` is whatever else the page depends on; an address alone says too little when it has filters.
    """

    template: str
    path: str
    needs: tuple[Any, ...]
    shown: tuple[Rows, ...]
    values: Callable[[Database], dict[str, Any]]
    about: Hashable = None


def read_page(request: Request, parts: Parts, reading: Reading) -> Response:
    """Answer with the page. Raises NotSignedIn, NotPermitted, and what reading its values does."""
    secret = session_secret(request, parts)
    person, prints = parts.sessions.look(secret, reading.shown)
    visit = Visit(person, person.asker, secret)
    action: Action = reading.needs[0]
    demand(visit.asker, action, *reading.needs[1:])

    def values() -> tuple[Hashable, dict[str, Any]]:
        with parts.database.snapshot() as moment:
            return read_prints(moment, reading.shown), reading.values(moment)

    key = (reading.template, reading.path, reading.about)
    return keep_page(request, parts, visit, key, prints, values)


def keep_page(
    request: Request, parts: Parts, visit: Visit, page: tuple[str, str, Hashable], prints: Hashable,
    values: Callable[[], tuple[Hashable, dict[str, Any]]],
) -> Response:  # fmt: skip
    """Answer with a page (its template, its path, what else it is about) as it was kept under these prints.

    Else `values` reads it anew, with the prints that go with it.
    """
    notice = notice_of(request)
    key = (page, visit.person, notice)
    mold = parts.kept.find((key, prints))
    if mold is None:
        prints, found = values()
        html = render_page(page[0], AnyVisit(visit.person, visit.asker), path=page[1], notice=notice, **found)
        mold = parts.kept.keep((key, prints), html)
    return HTMLResponse(mold.fill(visit.csrf, new_form_key))
