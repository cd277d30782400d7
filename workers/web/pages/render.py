"""Templates: how a page is made of what the core says. No rule lives in a template."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from roost.directory import LIMIT, fields
from roost.directory.fields import format_duration
from roost.directory.rules import NumberRule, TextRule
from roost.moves.outcomes import GRANTED, NOTHING_TO_DO
from roost.people.access import Action, may
from roost.people.person import PASSWORD
from roost.views.journal import JournalEntry
from workers.web.pages.visit import AnyVisit, Visit
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
#: Rows of the journal that are kept rendered.
_KEPT_ROWS = 4096
_FOLDER = Path(__file__).parent.parent / "templates"


@cache
def templates() -> Environment:
    """The templates, with what all of them use."""
    made = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals |= {
        "t": text,
        "may": may,
        "Action": Action,
        "in_words": in_words,
        "journal_row": _journal_row,
        "limits": limits,
        "MOST_LISTED": LIMIT,
        "GRANTED": GRANTED,
        "NOTHING_TO_DO": NOTHING_TO_DO,
        "fields": fields,
        "PASSWORD": PASSWORD,
    }
    made.filters |= {"moment": moment, "duration": _duration, "with_code": with_code}
    return made


def show(
    request: Request, visit: Visit | None, template: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a page."""
    notice = values.pop("notice", None) or notice_of(request)
    path = values.pop("path", request.url.path)
    html = render_page(template, visit, path=path, notice=notice, status=status, **values)
    # What answers a failed form has the form's address, which cannot be opened: it is no place to come back to.
    return HTMLResponse(html, status, {"HX-Push-Url": "false"} if status >= 400 else None)


@lru_cache(_KEPT_ROWS)
def _journal_row(entry: JournalEntry, with_extension: bool) -> Markup:  # noqa: FBT001 - a template's positional argument
    """An entry never changes, so that its row is rendered once for all pages it is on."""
    return Markup(render("journal_row.html", entry=entry, with_extension=with_extension))  # noqa: S704 - a template escapes


def render_page(
    template: str, visit: Visit | AnyVisit | None, *, path: str, notice: str | None = None, problem: str | None = None,
    status: int = 200, **values: Any,
) -> str:  # fmt: skip
    """Render the text of a page."""
    return render(template, visit=visit, path=path, notice=notice, problem=problem, status=status, **values)


def notice_of(request: Request) -> str | None:
    """What the page is to say, for it came back from a form."""
    said = request.query_params.get("said", "")
    return _said(said) if said else None


def render(template: str, **values: Any) -> str:
    """Render a fragment."""
    return templates().get_template(template).render(**values)


def show_fault(request: Request, found: Problem, headers: dict[str, str]) -> HTMLResponse:
    """Render an error as a page."""
    name = f"fault.{found.code}"
    if found.status == 404:
        words = text("fault.not_found")
    elif name in catalogue():
        words = text(name)
    else:
        words = text("fault.error") if found.status == 500 else found.title
    made = show(
        request, None, "fault.html", status=found.status, words=words, code=found.code, method=request.method
    )
    made.headers.update(headers)
    return made


def limits(rule: TextRule | NumberRule) -> Markup:
    """The attributes of an input that takes what the rule allows, so that the browser says at once what does not fit."""
    return Markup(" ").join(Markup('{}="{}"').format(name, value) for name, value in rule.attributes.items())


def in_words(group: str, name: str | None) -> str:
    """A stable code in words; one that the catalogue does not have, as it is."""
    if not name:
        return ""
    full = f"{group}.{name}"
    return text(full) if full in catalogue() else name


def with_code(words: str) -> Markup:
    """Words in which what stands between backticks is typed somewhere."""
    parts = words.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(each) if place % 2 else each for place, each in enumerate(parts)
    )


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
