"""Every page, and who sees it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from tests.web.office import Office

PAGES: dict[str | None, tuple[str, ...]] = {
    None: ("/sign-in",),
    "owner0001-001": ("/extensions/0001*001", "/account"),
    "admin0001": (
        "/organizations/0001",
        "/organizations/0001/desks/desk002",
        "/organizations/0001/journal",
        "/organizations/0001/policy",
        "/organizations/0001/import",
        "/organizations/0001/people",
        "/organizations/0001/tokens",
        "/extensions/0001*004",
    ),
    "root": ("/cluster", "/organizations", "/journal", "/people", "/tokens"),
}
#: A text that would show, if some page took it for markup or for a template.
MARKUP = """'"><img src=x onerror=alert(1)>{{1234*5677}}"""
_NAMES = (
    "John Miller",
    "Ted Brown",
    "Ann Fletcher",
    "Maria Ionescu",
    "Zoë Krüger",
    "Paul Dubois",
    "Ines Costa",
)


def furnish(office: Office) -> None:
    """An office in which something happens: guests, agents without a phone, refusals."""
    world = office.world
    for number in ("005", "006", "007", "008", "009"):
        world.desk(number, node=f"n{int(number) % 3 + 1}", allows=number != "009")
    world.desk("020", phone=False, name="Omar Haddad")
    for place, name in enumerate(_NAMES, 1):
        world.sql("UPDATE extension SET name = %s WHERE number = %s", name, f"{place:03}")
    world.sit("001", "desk002")
    world.sit("020", "desk008")
    world.move("005", "desk007", reason="Training week")
    world.move("006", "desk009")
    world.key("desk003", "001", "0000")
    office.tokens.add("pbx-two", office.tokens.find(office.token()).right, "0001")


def every_page(office: Office) -> Iterator[tuple[httpx.Client, str]]:
    """Every page, with a browser that may see it."""
    for login, paths in PAGES.items():
        browser = office.browser(login) if login else office.browser()
        browser.http.follow_redirects = False
        yield from ((browser.http, path) for path in paths)
