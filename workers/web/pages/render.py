"""Templates: how a page is made of what the core says. No rule lives in a template."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from roost.access import Action, may
from roost.fields import format_duration
from workers.web.pages.visit import Visit, new_form_key
from workers.web.problems import Problem
from workers.web.texts import catalogue, text

#: What a page may say after it came back from a form, besides outcomes.
_SAID = frozenset(
    {
        "sign_in.ended",
        "policy.saved",
        "people.done",
        "tokens.ended",
        "organizations.added",
        "cluster.audit_started",
    }
)
_FOLDER = Path(__file__).parent.parent / "templates"


@cache
def templates() -> Environment:
    """The templates, with what all of them use."""
    made = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals |= {"t": text, "may": may, "Action": Action, "form_key": new_form_key, "in_words": in_words}
    made.filters |= {"moment": moment, "duration": _duration}
    return made


def show(
    request: Request, visit: Visit | None, template: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a page."""
    said = request.query_params.get("said", "")
    notice = values.pop("notice", None) or (_said(said) if said else None)
    html = templates().get_template(template).render(
        visit=visit, path=values.pop("path", request.url.path), notice=notice, problem=values.pop("problem", None), status=status, **values
    )  # fmt: skip
    # What answers a failed form has the form's address, which cannot be opened: it is no place to come back to.
    return HTMLResponse(html, status, {"HX-Push-Url": "false"} if status >= 400 else None)


def render(template: str, **values: Any) -> str:
    """Render a fragment."""
    return templates().get_template(template).render(**values)


def show_fault(request: Request, found: Problem, headers: dict[str, str]) -> HTMLResponse:
    """Render an error as a page."""
    name = f"fault.{found.code}"
    words = (
        text(name) if name in catalogue() else (found.title if found.status < 500 else text("fault.error"))
    )
    if found.status == 404:
        words = text("fault.not_found")
    made = show(
        request, None, "fault.html", status=found.status, words=words, code=found.code, method=request.method
    )
    made.headers.update(headers)
    return made


def in_words(group: str, name: str | None) -> str:
    """A stable code in words; one that the catalogue does not have, as it is."""
    if not name:
        return ""
    full = f"{group}.{name}"
    return text(full) if full in catalogue() else name


def moment(at: datetime | None) -> Markup:
    """A time: in UTC for who has no script, in the reader's own time otherwise."""
    if at is None:
        return Markup("")
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(timespec="seconds"), escape(utc.strftime("%Y-%m-%d %H:%M UTC"))
    )


def _duration(value: timedelta | None) -> str:
    return "" if value is None else format_duration(value)


def _said(name: str) -> str | None:
    """The words of a code in an address; other words than these are never shown."""
    known = name in _SAID or name.startswith("outcome.")
    return catalogue().get(name) if known else None
