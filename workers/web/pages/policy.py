"""An organization's policy: whether guests are displaced, when stays end, and what locks an extension."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from roost.directory.fields import (
    LOCK_AFTER,
    PHONE_LOCK_AFTER,
    format_duration,
    parse_duration,
    parse_wall_clock,
)
from roost.errors import Invalid
from roost.people.access import Action, demand
from workers.web.pages.render import show
from workers.web.pages.visit import TheForm, TheParts, TheVisit, text_of

router = APIRouter(include_in_schema=False, prefix="/organizations/{code}")
_POLICY_FIELDS = (
    "policy",
    "max_stay",
    "daily_return",
    "timezone",
    "lock_after",
    "phone_lock_after",
    "lock_for",
    "weak_codes",
)


@router.get("/policy")
def show_policy(request: Request, parts: TheParts, visit: TheVisit, code: str) -> Response:
    """Show what holds for the organization."""
    demand(visit.asker, Action.CHANGE_POLICY, code)
    record = parts.directory.organization(code)
    values = {
        "policy": record.policy, "timezone": record.timezone, "lock_after": str(record.lock_after),
        "weak_codes": "yes" if record.allows_weak_codes else "",
        "phone_lock_after": str(record.phone_lock_after), "lock_for": format_duration(record.lock_for),
        "max_stay": format_duration(record.max_stay) if record.max_stay else "",
        "daily_return": record.daily_return.strftime("%H:%M") if record.daily_return else "",
    }  # fmt: skip
    return show(request, visit, "policy.html", organization=record, values=values)


@router.post("/policy")
def change_policy(request: Request, parts: TheParts, visit: TheVisit, form: TheForm, code: str) -> Response:
    """Change an organization's policy, from the form."""
    demand(visit.asker, Action.CHANGE_POLICY, code)
    values = {name: text_of(form, name).strip() for name in _POLICY_FIELDS}
    try:
        parts.directory.change_organization(
            code,
            policy=values["policy"],
            max_stay=parse_duration(values["max_stay"]) if values["max_stay"] else None,
            daily_return=parse_wall_clock(values["daily_return"]) if values["daily_return"] else None,
            timezone=values["timezone"],
            lock_after=LOCK_AFTER.check(values["lock_after"]),
            phone_lock_after=PHONE_LOCK_AFTER.check(values["phone_lock_after"]),
            allows_weak_codes=values["weak_codes"] == "yes",
            lock_for=parse_duration(values["lock_for"]),
        )
    except Invalid as error:
        record = parts.directory.organization(code)
        return show(
            request, visit, "policy.html", status=422, problem=str(error), organization=record, values=values
        )
    return RedirectResponse(f"/organizations/{code}/policy?said=policy.saved", 303)
