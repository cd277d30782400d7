"""`roost where`: where an extension rings and why, or who a phone acts as."""

from __future__ import annotations

from typing import Annotated

import typer

from roost.views.whereabouts import ExtensionPlace, PhonePlace, Why, where_is_extension, where_is_phone
from workers.cli.output import AsJson, show_facts, show_json
from workers.cli.session import open_database

_WHY = {
    Why.AT_HOME: "at home",
    Why.VIRTUALIZED: "virtualized: it sits on another phone",
    Why.HOSTS_GUEST: "another extension sits on its phone",
    Why.NO_PHONE: "it has no phone, and sits on none",
    Why.PHONE_DISABLED: "its phone is disabled",
    Why.EXTENSION_DISABLED: "it is disabled",
    Why.ORGANIZATION_DISABLED: "its organization is disabled",
}


def where(
    name: Annotated[str, typer.Argument(metavar="EXTENSION|PHONE", help="0001*001, or the name of a phone.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show where an extension rings and why, or who a phone acts as."""
    with open_database() as database:
        found = where_is_extension(database, name) if "*" in name else where_is_phone(database, name)
    if as_json:
        show_json(found)
    elif isinstance(found, ExtensionPlace):
        show_facts(_of_extension(found))
    else:
        show_facts(_of_phone(found))


def _of_extension(place: ExtensionPlace) -> dict[str, object]:
    facts: dict[str, object] = {
        "extension": _named(place.extension, place.name),
        "rings": _at(place.phone, place.node) or "nowhere",
        "why": _WHY[place.why],
    }
    if place.since:
        facts["since"] = place.since
    if place.why is Why.VIRTUALIZED:
        facts["until"] = place.until or "it returns"
    facts["own phone"] = _at(place.own_phone, place.own_node)
    if place.guest:
        facts["who sits there"] = _named(place.guest, place.guest_name)
        facts["sits there since"] = place.guest_since
    if place.locked_until:
        facts["locked until"] = place.locked_until
    return facts


def _of_phone(place: PhonePlace) -> dict[str, object]:
    facts: dict[str, object] = {
        "phone": _at(place.phone, place.node) + ("" if place.enabled else " (disabled)"),
        "acts as": _named(place.acts_as, place.acts_as_name)
        or "nobody: it is disabled, or has no extension in use",
    }
    if place.guest:
        facts |= {"since": place.since, "until": place.until or "it returns"}
    facts["own extension"] = _named(place.base, place.base_name)
    if place.base and (place.base_phone != place.phone):
        facts["which rings"] = _at(place.base_phone, place.base_node) or "nowhere"
    if place.locked_until:
        facts["locked until"] = place.locked_until
    return facts


def _named(key: str | None, name: str | None) -> str:
    return f"{key} ({name})" if key and name else key or ""


def _at(phone: str | None, node: str | None) -> str:
    return f"{phone} on node {node}" if phone else ""
