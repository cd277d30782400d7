"""How a page that is read often is answered: from the cache, while the fingerprints of what it shows are as they were.

`roost/views/fingerprints.py` explains the idea, and `page_cache` holds the HTML. Who asks is looked up at each reading, and so is
whether they may: only HTML is cached, for each person apart. A page is made anew from one snapshot of the database, so that
the fingerprints and the page cached under them belong together.

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
from roost.views.fingerprints import Rows, read_fingerprints
from workers.web.pages.render import notice_of, render_page
from workers.web.pages.visit import AnyVisit, Visit, new_form_key, session_secret
from workers.web.parts import Parts


def page_route(path: str, show: Callable[[Request, Parts], Response]) -> Route:
    """The route of a page; `show` runs in a thread."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(show, request, request.app.state.parts)

    return Route(path, endpoint, methods=["GET"])


def organization_in_path(request: Request, parts: Parts) -> str:
    """The organization in the address. Raises NotSignedIn, without a look at the address, and BadField."""
    session_secret(request, parts)
    code: str = request.path_params["code"]
    return ORGANIZATION_CODE.check(code)


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page: who may see it, the rows it is made of, and how its values are read from one snapshot.

    `about` gives whatever else the page depends on, once it is known that who asks may see it; an address alone says too little
    when it has filters.
    """

    template: str
    path: str
    needs: tuple[Any, ...]
    shown: tuple[Rows, ...]
    values: Callable[[Database], dict[str, Any]]
    about: Callable[[], Hashable] = lambda: None


def answer_page(request: Request, parts: Parts, page: CachedPage) -> Response:
    """Answer with the page. Raises NotSignedIn, NotPermitted, and what reading its values does."""
    secret = session_secret(request, parts)
    person, fingerprints = parts.sessions.find_with_fingerprints(secret, page.shown)
    visit = Visit(person, person.asker, secret)
    action: Action = page.needs[0]
    demand(visit.asker, action, *page.needs[1:])

    def make() -> tuple[Hashable, dict[str, Any]]:
        with parts.database.snapshot() as snapshot:
            return read_fingerprints(snapshot, page.shown), page.values(snapshot)

    key = (page.template, page.path, page.about())
    return answer_from_cache(request, parts, visit, key, fingerprints, make)


def answer_from_cache(
    request: Request, parts: Parts, visit: Visit, page: tuple[str, str, Hashable], fingerprints: Hashable,
    make: Callable[[], tuple[Hashable, dict[str, Any]]],
) -> Response:  # fmt: skip
    """Answer with a page (its template, its path, what else it is about) as it was cached under these fingerprints.

    Else `make` gives the values it is rendered from, and the fingerprints that go with them.
    """
    notice = notice_of(request)
    key = (page, visit.person, notice)
    cached = parts.page_cache.find((key, fingerprints))
    if cached is None:
        fingerprints, values = make()
        html = render_page(
            page[0], AnyVisit(visit.person, visit.asker), path=page[1], notice=notice, **values
        )
        cached = parts.page_cache.put((key, fingerprints), html)
    return HTMLResponse(cached.fill(visit.csrf, new_form_key))
