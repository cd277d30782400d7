"""Forms from elsewhere, sessions that are fixed beforehand, addresses that lead away, and input that is wrong."""

from __future__ import annotations

import httpx
import pytest

from roost.views.journal import PART
from tests.web.office import PLAIN, Office
from tests.world import new_id


@pytest.fixture
def away(office: Office) -> Office:
    office.world.sit("001", "desk002")
    return office


RETURN = "/extensions/0001*001/return"


def test_a_form_without_the_proof_does_nothing(away: Office) -> None:
    browser, other = away.browser("owner0001-001"), away.browser("owner0001-002")
    for proof in ("", "0" * 64, other.csrf, "ü"):
        answer = browser.http.post(RETURN, data={"csrf": proof})
        assert answer.status_code == 403
        assert "This form is not valid any more" in answer.text
    assert browser.http.post(RETURN, content=b"").status_code == 403
    assert away.world.guests() == {"desk002": "001"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_form_sent_from_another_site_does_nothing(away: Office, headers: dict[str, str]) -> None:
    browser = away.browser("owner0001-001")
    answer = browser.http.post(RETURN, data={"csrf": browser.csrf}, headers=headers)
    assert answer.status_code == 403
    assert away.world.guests() == {"desk002": "001"}


def test_a_form_sent_twice_is_done_once(away: Office) -> None:
    browser = away.browser("owner0001-001")
    key = new_id()
    assert browser.post(RETURN, key=key).status_code == 200
    away.world.sit("001", "desk002")
    assert browser.post(RETURN, key=key).status_code == 200
    assert away.world.guests() == {"desk002": "001"}


@pytest.mark.parametrize("path", ["/organizations/0001", "/organizations/0001/desks/desk001"])
def test_what_a_move_came_to_is_said_and_not_what_was_wished(away: Office, path: str) -> None:
    """Onto its own phone an extension comes home; and once it is there, nothing happens."""
    browser = away.browser("admin0001")
    for said in ("Returned to base", "Already there"):
        answer = browser.post(f"{path}/virtualize", number="001", phone="desk001")
        assert f'role="status">{said}<' in answer.text
    assert away.world.guests() == {}


def test_a_form_that_was_sent_before_with_something_else_says_so_and_is_given_anew(office: Office) -> None:
    browser, key = office.browser("admin0001"), new_id()
    own, desk = "/extensions/0001*001", "/organizations/0001/desks/desk002"
    assert browser.post(f"{own}/code", key=key, code="24681", again="24681").status_code == 200
    for status, path, fields in (
        (422, f"{own}/code", {"code": "83017", "again": "83017"}),
        (422, f"{own}/code/clear", {}),
        (422, f"{own}/return", {}),
        (422, f"{own}/virtualize", {"phone": "desk002"}),
        (409, f"{desk}/return", {"extension": "0001*002"}),
        (409, f"{desk}/virtualize", {"number": "001"}),
        (409, "/organizations/0001/virtualize", {"number": "001", "phone": "desk002"}),
    ):
        answer = browser.post(path, key=key, **fields)
        assert answer.status_code == status, path
        assert "This form was sent before" in answer.text
        assert 'name="key"' in answer.text
        assert f'value="{key}"' not in answer.text
    assert office.world.guests() == {}
    assert office.cluster.call("desk002", "*30001", "83017", "24681").outcome == "virtualized"


def test_a_session_fixed_beforehand_is_not_taken_over(office: Office) -> None:
    browser = office.browser()
    browser.http.cookies.set("roost", "chosen-by-somebody-else")
    browser.sign_in("admin0001", office.password)
    ours = {cookie.value for cookie in browser.http.cookies.jar if cookie.name == "roost"}
    assert any(value and len(value) == 43 for value in ours)
    fixed = httpx.get(f"{office.address}/account", cookies={"roost": "chosen-by-somebody-else"}, verify=PLAIN)
    assert fixed.status_code == 303


def test_signing_in_again_ends_the_session_before(office: Office) -> None:
    browser = office.browser("admin0001")
    before = browser.http.cookies["roost"]
    browser.http.cookies.delete("roost")
    browser.http.cookies.set("roost", before)
    proof_page = httpx.get(f"{office.address}/sign-in", verify=PLAIN)
    answer = httpx.post(
        f"{office.address}/sign-in",
        data={
            "csrf": proof_page.text.split('name="csrf" value="')[1][:64],
            "login": "admin0001",
            "password": office.password,
        },
        cookies={"roost": before, "roost-form": proof_page.cookies["roost-form"]},
        verify=PLAIN,
    )
    assert answer.status_code == 303
    assert answer.cookies["roost"] != before
    assert httpx.get(f"{office.address}/account", cookies={"roost": before}, verify=PLAIN).status_code == 303


def test_a_sign_in_form_belongs_to_one_browser(office: Office) -> None:
    theirs, mine = office.browser(), office.browser()
    proof = theirs.proof("/sign-in")
    mine.get("/sign-in")
    answer = mine.http.post(
        "/sign-in", data={"csrf": proof, "login": "admin0001", "password": office.password}
    )
    assert answer.status_code == 403
    assert "open for too long" in answer.text


def test_a_form_to_sign_in_is_good_though_another_tab_shows_one_too(office: Office) -> None:
    """As when a session ends while several pages are open."""
    browser = office.browser()
    proof = browser.proof("/sign-in?next=/account")
    browser.get("/sign-in")
    fields = {"csrf": proof, "login": "admin0001", "password": office.password, "next": "/account"}
    assert browser.http.post("/sign-in", data=fields).url.path == "/account"


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/%0d%0aLocation:x", "http:evil.example", "/\tevil", "/" + "a" * 400, "", "evil.example", "//[", "//\u2100",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(office: Office, to: str) -> None:
    browser = office.browser()
    browser.http.follow_redirects = False
    proof = browser.proof("/sign-in")
    answer = browser.http.post(
        "/sign-in", data={"csrf": proof, "login": "admin0001", "password": office.password, "next": to}
    )
    assert answer.status_code == 303
    place = httpx.URL(f"{office.address}/").join(answer.headers["location"])
    assert place.host == "127.0.0.1"
    assert place.scheme == "http"
    seen = browser.http.get("/sign-in", params={"next": to})
    assert httpx.URL(f"{office.address}/").join(seen.headers["location"]).host == "127.0.0.1"


def test_cookies_and_headers_are_strict(office: Office) -> None:
    browser = office.browser()
    browser.http.follow_redirects = False
    proof = browser.proof("/sign-in")
    answer = browser.http.post("/sign-in", data={"csrf": proof, "login": "root", "password": office.password})
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("roost="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    page = browser.get("/cluster")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"


def test_signing_out_ends_the_session(office: Office) -> None:
    browser = office.browser("admin0001")
    kept = browser.http.cookies["roost"]
    assert "You are signed out" in browser.post("/sign-out").text
    assert httpx.get(f"{office.address}/account", cookies={"roost": kept}, verify=PLAIN).status_code == 303


def test_a_changed_password_ends_every_session(office: Office) -> None:
    here, there = office.browser("owner0001-001"), office.browser("owner0001-001")
    new = new_id()
    assert here.post("/account/password", old="wrong", new=new, again=new).status_code == 403
    assert here.post("/account/password", old=office.password, new=new, again=new + "x").status_code == 422
    assert here.post("/account/password", old=office.password, new="short", again="short").status_code == 422
    assert (
        "You are signed out" in here.post("/account/password", old=office.password, new=new, again=new).text
    )
    assert there.get("/account").url.path == "/sign-in"
    assert there.sign_in("owner0001-001", new).url.path == "/extensions/0001*001"


def test_what_people_write_is_shown_as_text(office: Office) -> None:
    evil = "<script>alert(1)</script>"
    office.world.sql("UPDATE extension SET name = %s WHERE number = '001'", evil)
    browser = office.browser("admin0001")
    for path in ("/organizations/0001", "/extensions/0001*001", f"/organizations/0001?q={evil}"):
        page = browser.get(path)
        assert page.status_code == 200
        assert evil not in page.text
    said = browser.get("/organizations/0001?said=You+are+hacked")
    assert "hacked" not in said.text


def test_csv_has_no_formulas(office: Office) -> None:
    office.world.move("001", "desk002", reason="=HYPERLINK(1)")
    answer = office.browser("admin0001").get("/organizations/0001/journal.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "'=HYPERLINK(1)" in answer.text
    assert answer.text.count("\r\n") == 2


_LONG_JOURNAL = """
INSERT INTO journal (request_id, at, origin, operation, organization, extension, outcome)
SELECT 'r' || i, now() - make_interval(mins => i / 3), 'api', 'return', '0001', '001', 'nothing_to_return' FROM generate_series(1, %s) i
"""


def test_csv_is_whole_however_long(office: Office) -> None:
    """It is read in parts, which end between entries of one moment too."""
    many = 2 * PART + 501
    office.world.sql(_LONG_JOURNAL, many)
    rows = office.browser("admin0001").get("/organizations/0001/journal.csv").text.splitlines()
    assert sorted(row.partition(",")[0] for row in rows[1:]) == sorted(f"r{i}" for i in range(1, many + 1))


@pytest.mark.parametrize(
    "query", ["extension=x", "phone=%00", "outcome=nonsense", "since=yesterday", "until=2026-13-01T00:00", "zone=x&since=2026-01-01T00:00", "cursor=xx", "zone=99999&since=2026-01-01T00:00",
     "zone=99999999999999&since=2026-01-01T00:00"]
)  # fmt: skip
def test_a_wrong_filter_is_said(office: Office, query: str) -> None:
    answer = office.browser("admin0001").get(f"/organizations/0001/journal?{query}")
    assert answer.status_code in {200, 422}
    assert "Journal" in answer.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/organizations/0001/policy", {"policy": "x", "timezone": "UTC", "lock_after": "3", "phone_lock_after": "3", "lock_for": "1h"}),
        ("/organizations/0001/policy", {"policy": "refuse", "timezone": "Mars/Base", "lock_after": "3", "phone_lock_after": "3", "lock_for": "1h"}),
        ("/organizations/0001/policy", {"policy": "refuse", "timezone": "UTC", "lock_after": "", "phone_lock_after": "3", "lock_for": "1h"}),
        ("/organizations/0001/virtualize", {"number": "x", "phone": "desk002"}),
        ("/organizations/0001/virtualize", {"number": "001", "phone": "\x00"}),
        ("/organizations/0001/people", {"login": "a b", "password": "long enough 1", "role": "administrator"}),
        ("/organizations/0001/people", {"login": "ab", "password": "short", "role": "administrator"}),
        ("/organizations/0001/people", {"login": "ab", "password": "long enough 1", "role": "king"}),
        ("/organizations/0001/tokens", {"name": "", "access": "read"}),
        ("/organizations/0001/tokens", {"name": "x", "access": "everything"}),
        ("/organizations/0001/tokens/end", {"id": "-1"}),
        ("/organizations/0001/import", {"text": "nonsense"}),
        ("/organizations/0001/import", {"text": ""}),
        ("/extensions/0001*001/code", {"code": "12", "again": "12"}),
        ("/extensions/0001*001/virtualize", {"phone": "\u20ac"}),
    ],
)  # fmt: skip
def test_wrong_input_is_said_on_the_page(office: Office, path: str, fields: dict[str, str]) -> None:
    answer = office.browser("admin0001").post(path, **fields)
    assert answer.status_code in {404, 409, 422}
    assert 'role="alert"' in answer.text
