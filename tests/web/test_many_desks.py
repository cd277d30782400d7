"""An organization of more desks than one part of the picture: every one is reached, found, and moves by itself."""

from __future__ import annotations

import re
from html import unescape

import pytest
from playwright.sync_api import Browser, expect

from roost.views.desks import PART
from tests.web.browsing import serious_faults, visitor
from tests.web.office import Office

#: Two whole parts, and some; the four desks of the office are among them.
DESKS = 2 * PART + 50

_DESKS = """
INSERT INTO extension (organization_id, number, name, allows_virtualization)
SELECT id, (1000 + i)::text, 'Agent ' || i, true FROM organization, generate_series(5, %s) i WHERE code = '0001'
"""
_PHONES = """
INSERT INTO phone (organization_id, name, node_id, base_id)
SELECT e.organization_id, 'many' || e.number, (SELECT min(id) FROM pbx_node), e.id FROM extension e
WHERE e.number >= '1005' AND length(e.number) = 4
"""


@pytest.fixture
def large(office: Office) -> Office:
    """The office, grown."""
    office.world.sql(_DESKS, DESKS)
    office.world.sql(_PHONES)
    return office


def test_every_desk_is_on_some_part(large: Office) -> None:
    browser = large.browser("admin0001")
    shown: list[str] = []
    address = "/organizations/0001"
    for _ in range(3):
        page = browser.get(address).text
        shown += [part.partition('"')[0] for part in page.split('<li id="desk-')[1:]]
        onwards = re.search(r'href="([^"]+)" rel="next"', page)
        address = unescape(onwards[1]) if onwards else ""
    numbers = large.world.value(
        "SELECT array_agg(number ORDER BY number) FROM extension e JOIN organization o ON o.id = organization_id"
        " WHERE o.code = '0001'"
    )
    assert isinstance(numbers, list)
    assert shown == numbers
    assert len(shown) == DESKS
    assert f"401 to {DESKS} of {DESKS}" in page
    assert "More desks" not in page
    before = re.search(r'href="([^"]+)" rel="prev"', page)
    assert before
    page = browser.get(unescape(before[1])).text
    assert [part.partition('"')[0] for part in page.split('<li id="desk-')[1:]] == numbers[PART : 2 * PART]
    assert f"{PART + 1} to {2 * PART} of {DESKS}" in page
    assert 'href="/organizations/0001?part=1" rel="prev"' in page


def test_a_search_is_over_all_and_has_parts_too(large: Office) -> None:
    browser = large.browser("admin0001")
    first = browser.get("/organizations/0001?q=agent").text
    second = browser.get("/organizations/0001?q=agent&part=3").text
    assert first.count('<li id="desk-') == PART
    assert "More desks" in first
    assert "A search looks at a thousand matches" in first
    assert "A search looks at a thousand matches" in second
    assert second.count('<li id="desk-') == DESKS - 4 - 2 * PART
    assert 'href="/organizations/0001?q=agent&amp;part=2"' in second
    assert browser.get("/organizations/0001?q=1450").text.count('<li id="desk-') == 1


@pytest.mark.parametrize("part", ["0", "-1", "x", "99999999", "٣"])
def test_a_part_that_is_none_is_the_first(office: Office, part: str) -> None:
    shown = office.browser("admin0001").get(f"/organizations/0001?part={part}")
    assert shown.status_code == 200
    assert 'id="desk-001"' in shown.text


def test_the_last_part_moves_by_itself(large: Office, chromium: Browser) -> None:
    with visitor(chromium, large, "admin0001", width=360) as page:
        for first, last in ((PART + 1, 2 * PART), (2 * PART + 1, DESKS)):
            page.get_by_role("link", name="More desks").click()
            expect(page.get_by_text(f"{first} to {last} of {DESKS}")).to_be_visible()
        expect(page.locator("#desk-1450")).to_be_visible()
        expect(page.locator("#live-state")).to_have_text("Live")
        assert serious_faults(page) == []
        large.world.sit("001", "many1450")
        expect(page.locator("#desk-1450")).to_contain_text("001 Person 001 sits here")
        expect(page.locator("#desk-counts")).to_contain_text("1 sit elsewhere")
        large.world.sql("DELETE FROM phone WHERE name = 'many1449'")
        large.world.sql("DELETE FROM extension WHERE number = '1449'")
        expect(page.locator("#desk-1449")).to_have_count(0)
        expect(page.get_by_text(f"401 to {DESKS - 1} of {DESKS - 1}")).to_be_visible()
