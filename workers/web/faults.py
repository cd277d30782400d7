"""What becomes of errors: problem details for programs, a page in plain words for people."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from roost.errors import RoostError
from roost.people.sessions import NotSignedIn
from roost.wrong_values import in_words
from workers.web import problems
from workers.web.pages.render import show_fault
from workers.web.pages.visit import sign_in_address
from workers.web.problems import Detail, Problem

log = structlog.get_logger(__name__)


def add_fault_handlers(app: FastAPI) -> None:
    """Let the app answer every error in the way of its door."""

    @app.exception_handler(RoostError)
    async def _(request: Request, error: Exception) -> Response:
        assert isinstance(error, RoostError)
        if isinstance(error, NotSignedIn) and not _is_program(request):
            return RedirectResponse(sign_in_address(request), 303)
        found = problems.problem_of(error)
        if found.status == 500:
            log.error("fault", error=error.code, path=request.url.path)
        return _answer(request, found, problems.headers_of(error))

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # The input itself is not repeated: it may be a secret.
        details = [
            Detail(where=".".join(str(part)[:80] for part in e["loc"]), code=e["type"], message=in_words(e))
            for e in error.errors()[:50]
        ]
        return _answer(request, problems.problem(422, "invalid", "The input is not valid.", details), {})

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        found = problems.problem(
            error.status_code, problems.code_of_status(error.status_code), str(error.detail)
        )
        return _answer(request, found, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        log.error("fault", path=request.url.path, exc_info=error)
        return _answer(
            request, problems.problem(500, "error", "Something went wrong here; it is in the log."), {}
        )


def _answer(request: Request, found: Problem, headers: dict[str, str]) -> Response:
    if _is_program(request):
        return problems.respond(found, headers)
    return show_fault(request, found, headers)


def _is_program(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/healthz", "/readyz", "/metrics", "/live/"))
