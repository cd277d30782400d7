"""A page that is cached is never an old one, never another's, and holds nothing that belongs to one session or one form."""

from __future__ import annotations

import re

import pytest

from tests.web.office import Office
from workers.web.pages.page_cache import PageWithGaps

_EXTENSION = "/extensions/0001*001"
_KEY = re.compile(r'name="key" value="([^"]+)"')
_PROOF = re.compile(r'name="csrf" value="([0-9a-f]+)"')

#: What is changed, and what an extension's page, cached from before, then says.
_CHANGES = {
    "its name": ("UPDATE extension SET name = 'Zoe New' WHERE number = '001'", "Zoe New"),
    "it is disabled": ("UPDATE extension SET enabled = false WHERE number = '001'", "This extension is disabled"),
    "its code is cleared": ("UPDATE extension SET code_hash = NULL, code_set_at = NULL WHERE number = '001'", "No code is set"),
    "it is locked": (
        "UPDATE extension SET locked_until = now() + interval '1 hour' WHERE number = '001'", "Locked after too many",
    ),
    "it disallows": (
        "UPDATE extension SET allows_virtualization = NOT allows_virtualization WHERE number = '001'", "",
    ),
    "its phone is renamed": ("UPDATE phone SET name = 'corner' WHERE name = 'desk001'", "corner"),
    "its phone is disabled": ("UPDATE phone SET enabled = false WHERE name = 'desk001'", "Rings nowhere now"),
    "its organization is disabled": ("UPDATE organization SET enabled = false WHERE code = '0001'", "organization is disabled"),
    "the daily return": ("UPDATE organization SET daily_return = '18:00'", "18:00 UTC"),
    "its own stay": ("UPDATE extension SET daily_return = '19:00' WHERE number = '001'", "19:00 UTC"),
    "the zone": ("UPDATE organization SET timezone = 'Asia/Tokyo', daily_return = '18:00'", "09:00 UTC"),
}  # fmt: skip
_AWAY = {"the daily return", "its own stay", "the zone"}


@pytest.mark.parametrize("what", _CHANGES)
def test_an_extension_page_shows_every_change_at_its_next_reading(office: Office, what: str) -> None:
    statement, words = _CHANGES[what]
    if what in _AWAY:
        office.world.sql("UPDATE organization SET timezone = 'UTC'")
        office.world.sit("001", "desk002")
    browser = office.browser("admin0001")
    before = _plain(browser.get(_EXTENSION).text)
    assert _plain(browser.get(_EXTENSION).text) == before
    office.world.sql(statement)
    after = _plain(browser.get(_EXTENSION).text)
    assert after != before
    assert words in after


def test_people_of_a_disabled_organization_see_how_it_was_left(office: Office) -> None:
    browser = office.browser("admin0001")
    assert "organization is disabled" not in browser.get("/organizations/0001").text
    office.world.sql("UPDATE organization SET enabled = false WHERE code = '0001'")
    left = browser.get("/organizations/0001")
    assert left.status_code == 200
    assert "organization is disabled" in left.text
    assert 'id="desk-001"' in left.text


def test_what_happened_lately_is_on_the_page_at_once(office: Office) -> None:
    browser = office.browser("owner0001-001")
    assert "Nothing yet" in browser.get(_EXTENSION).text
    office.world.move("001", "desk002", reason="Paperwork")
    assert "Paperwork" in browser.get(_EXTENSION).text
    assert "Paperwork" in office.browser("admin0001").get("/organizations/0001/journal").text
    office.world.move("001", "desk003", reason="Lunch")
    assert "Lunch" in office.browser("admin0001").get("/organizations/0001/journal").text


def test_desks_show_every_change_at_their_next_reading(office: Office) -> None:
    browser = office.browser("admin0001")
    assert "sits here" not in browser.get("/organizations/0001").text
    for statement, words in (
        ("UPDATE extension SET name = 'Zoe New' WHERE number = '003'", "Zoe New"),
        ("UPDATE organization SET name = 'Renamed' WHERE code = '0001'", "Every phone of Renamed"),
        ("UPDATE phone SET base_id = NULL WHERE name = 'desk004'", "Phones without an extension"),
        ("UPDATE pbx_node SET enabled = false WHERE name = 'n1'", "node n1 does not answer"),
    ):
        office.world.sql(statement)
        assert words in browser.get("/organizations/0001").text
    office.world.sql("UPDATE pbx_node SET enabled = true")
    office.world.sit("001", "desk002")
    assert "001 Person 001 sits here" in browser.get("/organizations/0001").text


@pytest.mark.parametrize("path", ["/organizations/0001", "/organizations/0001/journal", _EXTENSION])
def test_who_is_not_let_in_any_more_is_refused_a_cached_page(office: Office, path: str) -> None:
    browser = office.browser("admin0001")
    assert browser.get(path).status_code == 200
    office.people.set_enabled("admin0001", enabled=False)
    assert browser.get(path).url.path == "/sign-in"
    office.people.set_enabled("admin0001", enabled=True)
    browser = office.browser("admin0001")
    assert browser.get(path).url.path == path
    office.world.sql("DELETE FROM session")
    assert browser.get(path).url.path == "/sign-in"


@pytest.mark.parametrize(
    "path", ["/organizations/%00", "/organizations/a b/journal", "/organizations/%ff", "/extensions/%00"]
)
def test_an_address_that_is_none_is_refused_in_words(office: Office, path: str) -> None:
    assert office.browser("admin0001").get(path).status_code == 422
    assert office.browser().get(path).url.path == "/sign-in"


def test_a_page_cached_for_one_person_is_not_shown_to_another(office: Office) -> None:
    assert office.browser("admin0001").get("/organizations/0001").status_code == 200
    assert office.browser("admin0002").get("/organizations/0001").status_code == 403
    assert office.browser("owner0001-001").get(_EXTENSION).status_code == 200
    assert office.browser("owner0001-002").get(_EXTENSION).status_code == 403
    owner, administrator = office.browser("owner0001-001"), office.browser("admin0001")
    assert "Move to a phone" in administrator.get(_EXTENSION).text
    assert "Move to a phone" not in owner.get(_EXTENSION).text


def test_each_session_has_its_own_proof_and_each_form_its_own_key(office: Office) -> None:
    one, other = office.browser("admin0001"), office.browser("admin0001")
    pages = [browser.get(_EXTENSION).text for browser in (one, one, other)]
    proofs = [set(_PROOF.findall(page)) for page in pages]
    assert proofs[0] == proofs[1] == {one.csrf}
    assert proofs[2] == {other.csrf}
    keys = [key for page in pages for key in _KEY.findall(page)]
    assert len(keys) >= 6
    assert len(set(keys)) == len(keys)


def _plain(page: str) -> str:
    """The page without what is fresh at each reading."""
    return _KEY.sub("", page)


def test_what_the_cache_takes_is_counted_in_bytes() -> None:
    """A name in another script than ours has two or three to each letter."""
    assert PageWithGaps("ü" * 1000).size == 2000
