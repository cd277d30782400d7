"""A browser that has no scripts, gets no stream, is cut off in the middle of a form, or lives by another clock than ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from roost.people.access import Right
from roost.people.person import Role
from tests.cluster import wait_until
from tests.web.all_pages import PAGES
from tests.web.browsing import PATIENCE, WIDTHS, overflows, visitor
from tests.web.office import Office

expect.set_options(timeout=PATIENCE)


@contextmanager
def no_stream(page: Page) -> Iterator[list[str]]:
    """As when all places for viewers are taken. What is asked for meanwhile is listed."""
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append("stream")
        route.fulfill(
            status=503, content_type="application/problem+json", body='{"code": "too_many_viewers"}'
        )

    page.on("request", lambda request: asked.append("ready") if request.url.endswith("/readyz") else None)
    page.route("**/live/**", refuse)
    yield asked
    page.unroute("**/live/**")


def asked_again(page: Page, asked: list[str], what: str, times: int) -> None:
    """Wait until the page has asked so often for this."""
    wait_until(lambda: page.evaluate("true") and asked.count(what) >= times, f"{what} is asked for", 30)


def test_a_page_without_a_stream_is_not_read_anew_again_and_again(office: Office, chromium: Browser) -> None:
    with visitor(chromium, office, "admin0001") as page, no_stream(page) as asked:
        read: list[str] = []
        page.on(
            "request", lambda request: read.append(request.url) if request.is_navigation_request() else None
        )
        page.goto("/organizations/0001")
        expect(page.locator("#live-state")).to_contain_text("Not live")
        asked_again(page, asked, "ready", 2)
        asked_again(page, asked, "stream", 5)
        assert len(read) == 1


def test_what_is_filled_in_is_not_lost_with_the_stream(office: Office, chromium: Browser) -> None:
    with visitor(chromium, office, "admin0001") as page:
        expect(page.locator("#live-state")).to_have_text("Live")
        page.get_by_text("Virtualize an extension").click()
        page.get_by_label("Extension", exact=True).fill("003")
        page.get_by_label("on phone").fill("desk002")
        page.get_by_label("on phone").blur()
        with no_stream(page) as asked:
            office.world.sql("UPDATE organization SET enabled = false WHERE code = '0001'")
            expect(page.locator("#live-state")).to_contain_text("Not live")
            office.world.sql("UPDATE organization SET enabled = true WHERE code = '0001'")
            asked_again(page, asked, "ready", 3)
        expect(page.locator("#live-state")).to_have_text("Live", timeout=40_000)
        expect(page.get_by_label("Extension", exact=True)).to_have_value("003")
        expect(page.get_by_label("on phone")).to_have_value("desk002")


def test_without_scripts_no_page_says_that_it_is_live(office: Office, chromium: Browser) -> None:
    with visitor(chromium, office, "admin0001", scripts=False) as page:
        page.goto("/organizations/0001")
        expect(page.locator("#desk-001")).to_be_visible()
        expect(page.get_by_text("Live", exact=True)).not_to_be_visible()


def test_a_filter_is_of_the_clock_of_its_own_day(office: Office, chromium: Browser) -> None:
    """In Berlin 10:00 UTC is noon in summer, and an hour before noon in winter, whenever it is asked."""
    for day, number in (("2026-07-01", "001"), ("2026-01-01", "003")):
        office.world.move(number, "desk002" if number == "001" else "desk004")
        office.world.sql(f"UPDATE journal SET at = '{day} 10:00+00' WHERE extension = %s", number)
    with visitor(chromium, office, "admin0001", zone="Europe/Berlin") as page:
        page.goto("/organizations/0001/journal")
        for since, until, found in (
            ("2026-07-01T11:30", "2026-07-01T12:30", "0001*001"),
            ("2026-01-01T10:30", "2026-01-01T11:30", "0001*003"),
            ("2026-01-01T10:30", "2026-07-01T11:30", "0001*003"),
        ):
            page.get_by_label("From").fill(since)
            page.get_by_label("Until").fill(until)
            page.get_by_role("button", name="Filter").click()
            expect(page.locator("tbody tr")).to_have_count(1)
            expect(page.locator("tbody")).to_contain_text(found)


def test_an_open_page_offers_to_clear_a_code_that_is_there_and_no_other(
    office: Office, chromium: Browser
) -> None:
    """It was set and cleared elsewhere meanwhile."""
    api = office.api()
    with visitor(chromium, office, "owner0001-001") as page:
        expect(page.locator("#live-state")).to_have_text("Live")
        clear = page.get_by_role("button", name="Clear the code")
        expect(clear).to_be_visible()
        assert api.delete("/extensions/0001*001/code").status_code == 200
        expect(clear).to_have_count(0)
        expect(page.get_by_role("button", name="Set code")).to_be_visible()
        assert api.put("/extensions/0001*001/code", json={"code": "24681"}).status_code == 200
        expect(page.get_by_role("button", name="Replace code")).to_be_visible()
        clear.click()
        expect(page.locator("#notice").get_by_role("status")).to_contain_text("The secret code is cleared")


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_full_length_fit_on_every_page(office: Office, chromium: Browser, width: int) -> None:
    office.world.sql("UPDATE extension SET name = %s", "W" * 64)
    office.world.sql("UPDATE organization SET name = %s", "W" * 64)
    office.world.sql("UPDATE person SET name = %s", "W" * 64)
    office.world.sql("UPDATE phone SET name = %s WHERE name = 'desk004'", "d" * 64)
    office.people.add("l" * 64, office.password, Role.ADMINISTRATOR, organization="0001", name="W" * 64)
    office.tokens.add("T" * 64, Right.READ, "0001")
    office.world.move("001", "d" * 64, reason="R" * 200, actor="A" * 64)
    wide = []
    for login, paths in PAGES.items():
        with visitor(chromium, office, login, width=width) as page:
            for path in (
                *paths,
                *(["/organizations/0001/desks/" + "d" * 64] if login == "admin0001" else []),
            ):
                page.goto(path)
                wide += [path] if overflows(page) else []
                tall = page.locator("button").evaluate_all(
                    "all => all.filter(each => each.offsetHeight > 150)"
                )
                assert tall == [], path
    assert wide == []


def test_a_name_turns_no_words_around_it(office: Office, chromium: Browser) -> None:
    """U+202E has all that follows it run from right to left."""
    office.world.sql("UPDATE extension SET name = %s WHERE number = '001'", "\u202eevil")
    office.world.move("001", "desk002")
    with visitor(chromium, office, "admin0001") as page:
        expect(page.locator("#desk-002 .desk-guest")).to_have_text("001 evil sits here")
