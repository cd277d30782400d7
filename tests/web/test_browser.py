"""People in a real browser: pages that move by themselves, by mouse and by keyboard."""

from __future__ import annotations

import itertools
import re
import socket
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from localcluster import ports
from tests.web.all_pages import MARKUP, PAGES, furnish
from tests.web.browsing import PATIENCE, WIDTHS, overflows, serious_faults, visitor
from tests.web.office import Office
from tests.world import new_id

expect.set_options(timeout=PATIENCE)

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def stays_the_same(page: Page) -> None:
    """Mark the page, so that a reload is noticed."""
    page.evaluate("window.notReloaded = true")


def was_not_reloaded(page: Page) -> bool:
    return page.evaluate("window.notReloaded === true") is True


def watching(page: Page) -> None:
    """The page's stream is open and told where it stands."""
    expect(page.locator("#live-state")).to_have_text("Live")


def test_an_owner_sets_a_code_and_returns_to_base(office: Office, chromium: Browser) -> None:
    office.world.sql("UPDATE extension SET code_hash = NULL, code_set_at = NULL WHERE number = '001'")
    with visitor(chromium, office, "owner0001-001") as page:
        expect(page.get_by_role("heading", name="Set secret code")).to_be_visible()
        page.get_by_label("Secret code", exact=True).fill("24681")
        page.get_by_label("Secret code, again").fill("24682")
        page.get_by_role("button", name="Set code").click()
        expect(page.get_by_role("alert")).to_contain_text("The two codes differ")
        page.get_by_label("Secret code", exact=True).fill("24681")
        page.get_by_label("Secret code, again").fill("24681")
        page.get_by_role("button", name="Set code").click()
        expect(page.locator("#notice").get_by_role("status")).to_contain_text("The secret code is set")
        expect(page.get_by_role("heading", name="Replace secret code")).to_be_visible()
        stays_the_same(page)
        assert office.cluster.call("desk002", "*30001", "24681").outcome == "virtualized"
        expect(page.locator("#live-where")).to_contain_text("Currently virtualized on")
        expect(page.locator("#live-where")).to_contain_text("desk002")
        page.get_by_role("button", name="Return to base").click()
        expect(page.locator("#notice").get_by_role("status")).to_contain_text("Returned to base")
        expect(page.locator("#live-lately")).to_contain_text("Returned to base")
        assert was_not_reloaded(page)
        assert "24681" not in page.content()
    assert office.world.guests() == {}


def test_forms_of_a_page_that_the_browser_kept_are_given_new_keys(office: Office, chromium: Browser) -> None:
    """The browsers of these tests keep no page, so they are told that they did."""
    with visitor(chromium, office, "owner0001-001") as page:
        form = page.locator("form[action$='/code']")
        form.locator("[name=code]").fill("24681")
        before = [key.input_value() for key in page.locator("[name=key]").all()]
        proof = form.locator("[name=csrf]").input_value()
        page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        after = [key.input_value() for key in page.locator("[name=key]").all()]
        assert len({*before, *after}) == 2 * len(before) > 2
        assert form.locator("[name=csrf]").input_value() == proof
        form.locator("[name=again]").fill("24681")
        page.get_by_role("button", name="Replace code").click()
        expect(page.locator("#notice").get_by_role("status")).to_contain_text("The secret code is set")


def test_an_owner_allows_guests(office: Office, chromium: Browser) -> None:
    office.world.sit("003", "desk001", organization="0001")
    with visitor(chromium, office, "owner0001-001") as page:
        expect(page.locator("#live-where")).to_contain_text("0001*003 sits on this extension's phone")
        page.get_by_label("Allow virtualization on this extension").uncheck()
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#notice").get_by_role("status")).to_contain_text(
            "not allowed on this extension any more"
        )
        expect(page.locator("#live-where")).to_contain_text("is at its base")
    assert office.world.guests() == {}


def test_an_administrator_virtualizes_somebody_and_both_pages_move(office: Office, chromium: Browser) -> None:
    """The name and the reason are markup, which stays text where the live stream puts it."""
    office.world.sql("UPDATE extension SET name = %s WHERE number = '001'", MARKUP)
    with (
        visitor(chromium, office, "admin0001") as boss,
        visitor(chromium, office, "owner0001-001") as owner,
        visitor(chromium, office, "admin0001") as other,
    ):
        for page in (owner, other):
            watching(page)
            stays_the_same(page)
        boss.get_by_text("Virtualize an extension").click()
        boss.get_by_label("Extension", exact=True).fill("001")
        boss.get_by_label("on phone").fill("desk002")
        boss.get_by_label("Reason, for the journal").fill(f"Paperwork with Ted {MARKUP}")
        boss.get_by_role("button", name="Virtualize", exact=True).click()
        expect(boss.locator("#notice").get_by_role("status")).to_contain_text("Virtualized")
        for page in (boss, other):
            expect(page.locator("#desk-002")).to_contain_text(f"001 {MARKUP} sits here")
            expect(page.locator("#desk-001")).to_contain_text("sits at desk002")
            expect(page.locator("#desk-counts")).to_contain_text("1 sit elsewhere")
        expect(owner.locator("#live-where")).to_contain_text("desk002")
        expect(owner.locator("#live-lately")).to_contain_text(f"Paperwork with Ted {MARKUP}")
        for page in (boss, other, owner):
            expect(page.locator("img[src=x]")).to_have_count(0)
        assert was_not_reloaded(owner)
        assert was_not_reloaded(other)


def test_a_refusal_is_said_and_nothing_typed_is_lost(office: Office, chromium: Browser) -> None:
    office.world.sit("001", "desk002")
    with visitor(chromium, office, "admin0001") as page:
        page.get_by_text("Virtualize an extension").click()
        page.get_by_label("Extension", exact=True).fill("003")
        page.get_by_label("on phone").fill("desk002")
        page.get_by_role("button", name="Virtualize", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Another extension sits on that phone")
        expect(page.get_by_label("on phone")).to_have_value("desk002")
        assert page.url.endswith("/organizations/0001")


def test_desks_are_found_by_typing(office: Office, chromium: Browser) -> None:
    furnish(office)
    with visitor(chromium, office, "admin0001") as page:
        expect(page.locator("li.desk")).to_have_count(10)
        page.get_by_label("Search by number, name or phone").fill("ionescu")
        expect(page.locator("li.desk")).to_have_count(1)
        watching(page)
        office.world.sit("003", "desk004")
        expect(page.locator("#desk-004")).to_contain_text("003 Ann Fletcher sits here")


def test_an_operator_sees_a_node_go_down_and_come_back(office: Office, chromium: Browser) -> None:
    with visitor(chromium, office, "root") as page:
        watching(page)
        stays_the_same(page)
        expect(page.locator("#node-n2")).to_contain_text("up to date")
        fault(office, "n2", "drop-connection")
        office.world.move("001", "desk002")
        expect(page.locator("#node-n2")).to_contain_text("does not answer")
        expect(page.locator("#node-n2 .node-error")).to_be_visible()
        fault(office, "n2", "none")
        expect(page.locator("#node-n2")).to_contain_text("up to date")
        expect(page.locator("#node-n2 .node-error")).to_have_count(0)
        expect(page.locator("#chart-requests rect")).not_to_have_count(0)
        expect(page.locator("#cluster-queues")).to_contain_text("push to n3")
        assert was_not_reloaded(page)


def fault(office: Office, node: str, mode: str) -> None:
    """Have a simulated node misbehave."""
    address = (ports.LOOPBACK, office.cluster.product.node_ports[node])
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(f"Action: SimFault\r\nMode: {mode}\r\n\r\n".encode())
        heard = b""
        while b"Fault taken" not in heard:
            data = connection.recv(4096)
            assert data, heard
            heard += data


def test_a_wrong_password_ten_times(office: Office, chromium: Browser) -> None:
    with visitor(chromium, office) as page:
        page.goto("/")
        for _ in range(10):
            page.get_by_label("Login").fill("admin0001")
            page.get_by_label("Password").fill(new_id())
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("alert").filter(has_text="wrong")).to_be_visible()
            page.goto("/sign-in")
        page.get_by_label("Login").fill("admin0001")
        page.get_by_label("Password").fill(office.password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").filter(has_text="Too many tries")).to_be_visible()


def test_an_import_is_previewed_then_done(office: Office, chromium: Browser) -> None:
    rows = "organization,number,name,phone,node\n0001,001,Renamed,desk001,n1\n0001,040,New One,desk040,n2\n"
    with visitor(chromium, office, "admin0001") as page:
        page.goto("/organizations/0001/import")
        page.get_by_label("CSV file").set_input_files(
            {"name": "desks.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        )
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("heading", name="What would change")).to_be_visible()
        expect(page.get_by_role("table")).to_contain_text("0001*040")
        assert office.world.value("SELECT count(*) FROM extension WHERE number = '040'") == 0
        page.get_by_role("button", name="Import now").click()
        expect(page.get_by_role("heading", name="Imported.")).to_be_visible()
    assert office.world.value("SELECT name FROM extension WHERE number = '040'") == "New One"


def test_everything_is_reached_by_keyboard(office: Office, chromium: Browser) -> None:
    with visitor(chromium, office) as page:
        page.goto("/sign-in")
        expect(
            page.get_by_label("Login")
        ).to_be_focused()  # what is typed before the page sets the focus gets lost
        page.keyboard.type("admin0001")
        page.keyboard.press("Tab")
        page.keyboard.type(office.password)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Desks")).to_be_visible()
        page.goto("/organizations/0001")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_label("Search by number, name or phone")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("001")
        page.keyboard.press("Tab")
        page.keyboard.type("desk002")
        page.keyboard.press("Enter")
        expect(page.locator("#desk-002")).to_contain_text("sits here")


@pytest.mark.timeout(300)
def test_no_page_has_a_serious_fault_or_scrolls_sideways(office: Office, chromium: Browser) -> None:
    furnish(office)
    found: list[object] = []
    for login, paths in PAGES.items():
        with visitor(chromium, office, login) as page:
            for path in paths:
                answer = page.goto(path)
                assert answer is not None
                assert answer.ok
                assert page.get_by_role("heading", level=1).count() == 1
                for width, scheme in itertools.product(WIDTHS, SCHEMES):
                    page.emulate_media(color_scheme=scheme)
                    page.set_viewport_size({"width": width, "height": 900})
                    dark = scheme == "dark"  # where nothing but the colors differs
                    found += [(path, scheme, width, *fault) for fault in serious_faults(page, of_colors=dark)]
                    found += [(path, scheme, width, "scrolls sideways")] if overflows(page) else []
    assert found == []


def test_a_page_that_is_not_there_says_so(office: Office, chromium: Browser) -> None:
    with visitor(chromium, office, "admin0001") as page:
        page.goto("/organizations/0002")
        expect(page.get_by_role("alert").filter(has_text="You may not do this")).to_be_visible()
        page.goto("/nowhere")
        expect(page.get_by_role("alert").filter(has_text=re.compile("no such page"))).to_be_visible()
