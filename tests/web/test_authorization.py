"""Two owners, two organizations, two administrators: each tries every other's every action. All refused.

`all_acts.py` has every action of the pages and of the API; what one may do is said once, for each kind of asker.
"""

from __future__ import annotations

import httpx
import pytest

from roost.people.access import RULES, Action, Asker, Right, demand, may
from tests.cluster import wait_until
from tests.web.all_acts import BY_API, BY_PAGE, by_api, by_page
from tests.web.office import PLAIN, Office

#: Refused: may not, is unknown to the asker.
REFUSED = {403, 404}


def state_of(office: Office) -> object:
    """All that an intruder could change, but for what being refused leaves: the journal of refusals."""
    return office.world.value("""
        SELECT jsonb_build_object(
            'o', (SELECT jsonb_agg(o ORDER BY id) FROM organization o), 'e', (SELECT jsonb_agg(e ORDER BY id) FROM extension e),
            'p', (SELECT jsonb_agg(p ORDER BY id) FROM phone p),
            'u', (SELECT jsonb_agg(to_jsonb(u) ORDER BY id) FROM person u),
            't', (SELECT jsonb_agg(to_jsonb(t) - 'used_at' ORDER BY id) FROM token t),
            'n', (SELECT jsonb_agg(jsonb_build_object('name', name, 'enabled', enabled) ORDER BY id) FROM pbx_node),
            'j', (SELECT count(*) FROM journal))
    """)


def token_of(office: Office, code: str) -> int:
    """A token of an organization."""
    found = office.world.value(
        "SELECT min(t.id) FROM token t JOIN organization o ON o.id = organization_id WHERE o.code = %s", code
    )
    return int(str(found))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("login", "code", "spared"),
    [
        # Another organization's, and the cluster's: nothing is spared.
        ("owner0001-001", "0002", frozenset()),
        ("owner0002-001", "0001", frozenset()),
        ("admin0001", "0002", frozenset()),
        ("admin0002", "0001", frozenset()),
        # In their own organization, an owner of 002 and what belongs to 001.
        ("owner0001-002", "0001", frozenset()),
        # The owner of 001 may do with it what owners may.
        ("owner0001-001", "0001", frozenset({Action.SEE_EXTENSION, Action.SET_CODE, Action.RETURN, Action.ALLOW_VIRTUALIZATION})),
        (None, "0001", frozenset()),
    ],
)  # fmt: skip
def test_by_page_nobody_does_what_is_anothers(
    office: Office, login: str | None, code: str, spared: frozenset[Action]
) -> None:
    office.tokens.add("one", Right.READ, code)
    token = token_of(office, code)
    browser = office.browser(login)
    if login is None:
        browser.csrf = browser.proof("/sign-in")
    office.world.sit("001", "desk003" if code == "0001" else "desk0002-003", organization=code)
    before = state_of(office)
    for act in BY_PAGE:
        if act.action in spared:
            continue
        answer = by_page(browser, act, code, token)
        asked_to_sign_in = login is None and answer.url.path == "/sign-in" and "Sign in" in answer.text
        unknown_to_nobody = login is None and answer.status_code == 401
        assert answer.status_code in REFUSED or asked_to_sign_in or unknown_to_nobody, (
            act,
            answer.status_code,
        )
    assert state_of(office) == before


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("right", "scope", "code"),
    [
        (Right.ADMINISTER, "0001", "0002"),
        (Right.ADMINISTER, "0002", "0001"),
        (Right.OPERATE, "0001", "0002"),
        (Right.READ, "0001", "0002"),
    ],
)
def test_by_api_no_token_reaches_beyond_its_organization(
    office: Office, right: Right, scope: str, code: str
) -> None:
    office.tokens.add("one", Right.READ, code)
    token = token_of(office, code)
    api = office.api(right, scope)
    office.world.sit("001", "desk003" if code == "0001" else "desk0002-003", organization=code)
    before = state_of(office)
    for act in BY_API:
        answer = by_api(api, act, code, token)
        assert answer.status_code in REFUSED, (act, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    assert state_of(office) == before


@pytest.mark.parametrize("right", [Right.READ, Right.OPERATE])
@pytest.mark.parametrize("scope", ["0001", None])
def test_by_api_no_token_does_more_than_its_right(office: Office, right: Right, scope: str | None) -> None:
    office.tokens.add("one", Right.READ, "0001")
    token = token_of(office, "0001")
    api = office.api(right, scope)
    before = state_of(office)
    for act in BY_API:
        if RULES[act.action][0] > right:
            answer = by_api(api, act, "0001", token)
            assert answer.status_code == 403, (act, answer.status_code, answer.text)
    assert state_of(office) == before


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer roost_" + "A" * 43,
        "Basic cm9vdDpyb290",
        "Bearer roost_\x00",
        "Bearer " + "z" * 9000,
    ],
)
def test_a_missing_or_forged_token_opens_nothing(office: Office, header: str) -> None:
    with httpx.Client(verify=PLAIN, base_url=f"{office.address}/api/v1", timeout=20) as api:
        for path in ("/extensions", "/cluster", "/events", "/journal"):
            headers = {"Authorization": header.replace("\x00", "%00")} if header else {}
            answer = api.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


def test_an_expired_token_opens_nothing(office: Office) -> None:
    api = office.api()
    assert api.get("/extensions").status_code == 200
    office.world.sql("UPDATE token SET expires_at = now()")
    wait_until(lambda: api.get("/extensions").status_code == 401, "it is expired", 2)


def test_a_session_is_no_token_and_a_token_no_session(office: Office) -> None:
    browser = office.browser("root")
    assert browser.get("/api/v1/cluster").status_code == 401
    secret = browser.http.cookies["roost"]
    assert (
        httpx.get(
            f"{office.address}/api/v1/cluster", headers={"Authorization": f"Bearer {secret}"}, verify=PLAIN
        ).status_code
        == 401
    )
    answer = httpx.get(f"{office.address}/cluster", cookies={"roost": office.token()}, verify=PLAIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fcluster")


def test_lists_hold_only_what_the_token_reaches(office: Office) -> None:
    api = office.api(Right.READ, "0001")
    for path in ("/extensions", "/phones", "/organizations"):
        rows = api.get(path).json()["items"]
        assert rows
        assert {row.get("organization", row.get("code")) for row in rows} == {"0001"}


def test_every_action_is_in_the_tables() -> None:
    tried = {act.action for act in (*BY_PAGE, *BY_API)}
    assert tried | {Action.CALL} == set(Action)
    assert set(RULES) == set(Action)


@pytest.mark.parametrize("action", list(Action))
def test_the_table_of_rules(action: Action) -> None:
    owner = Asker("person:1", "o", "web", Right.OPERATE, "0001", "001")
    assert not may(owner, action, "0001", "002")
    assert not may(owner, action, "0001")
    for other in (owner, Asker("person:2", "a", "web", Right.ADMINISTER, "0001")):
        assert not may(other, action, "0002", "001")
        assert not may(other, action)
    demand(Asker("person:3", "r", "web", Right.ADMINISTER), action, "0002", "001")


def test_who_may_is_not_refused(office: Office) -> None:
    """What the tables try is there, and would work."""
    office.tokens.add("one", Right.READ, "0001")
    token = token_of(office, "0001")
    root, api = office.browser("root"), office.api()
    for act in BY_PAGE:
        if "live" in act.path:
            continue
        answer = by_page(root, act, "0001", token)
        assert answer.status_code in {200, 409}, (act, answer.status_code)
    for act in BY_API:
        answer = by_api(api, act, "0001", token)
        assert answer.status_code < 500, (act, answer.text)
        assert answer.status_code not in {401, 403, 405}, (act, answer.text)
        if answer.status_code == 404:
            assert answer.json()["code"].startswith("unknown_"), (act, answer.text)
