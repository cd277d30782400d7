"""The API: what the command line can do, over HTTP."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from localcluster.prometheus import promtool
from roost.people.access import Right
from tests.cluster import wait_until
from tests.web.office import Office, items
from tests.world import new_id


def test_an_extension_is_moved_and_comes_home(office: Office) -> None:
    api = office.api(Right.OPERATE, "0001")
    moved = api.post("/extensions/0001*001/virtualize", json={"phone": "desk002", "reason": "paperwork"})
    assert moved.status_code == 200, moved.text
    assert moved.json()["outcome"] == "virtualized"
    place = api.get("/extensions/0001*001/whereabouts").json()
    assert (place["why"], place["phone"]) == ("virtualized", "desk002")
    assert api.get("/phones/desk002/whereabouts").json()["guest"] == "0001*001"
    shown = api.get("/phones/desk002/display").json()
    assert (shown["number"], shown["guest"]) == ("001", True)
    shown = api.get("/phones/desk001/display").json()
    assert (shown["number"], shown["guest"]) == ("001", False)
    assert api.post("/extensions/0001*001/return").json()["outcome"] == "returned"
    again = api.post("/extensions/0001*001/return")
    assert (again.status_code, again.json()["outcome"]) == (200, "nothing_to_return")
    entries = items(api.get("/journal", params={"extension": "0001*001"}))
    assert [entry["outcome"] for entry in entries] == ["nothing_to_return", "returned", "virtualized"]
    assert entries[2]["reason"] == "paperwork"
    assert entries[2]["origin"] == "api"


def test_a_repeat_gets_the_first_answer_and_does_nothing_again(office: Office) -> None:
    api = office.api()
    key = {"Idempotency-Key": new_id()}
    path, body = "/extensions/0001*001/virtualize", {"phone": "desk002"}
    first = api.post(path, json=body, headers=key).json()
    office.world.bring_home("001")
    assert api.post(path, json=body, headers=key).json() == first
    assert office.world.guests() == {}
    other = api.post("/extensions/0001*002/virtualize", json=body, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "request_id_reused")


def test_a_key_that_set_a_code_is_good_for_nothing_else(office: Office) -> None:
    """Also for no other extension, though the request's id names the one."""
    api = office.api()
    key, code = {"Idempotency-Key": f"{new_id()}%_"}, {"code": "24681"}
    first = api.put("/extensions/0001*003/code", json=code, headers=key).json()
    assert first["outcome"] == "code_set"
    assert api.put("/extensions/0001*003/code", json=code, headers=key).json() == first
    reused = [
        api.put("/extensions/0001*002/code", json=code, headers=key),
        api.delete("/extensions/0001*003/code", headers=key),
        api.post("/extensions/0001*003/virtualize", json={"phone": "desk002"}, headers=key),
    ]
    assert [answer.json()["code"] for answer in reused] == ["request_id_reused"] * 3


def test_a_key_that_set_a_code_sets_no_other_and_does_not_say_so(office: Office) -> None:
    api, key = office.api(), {"Idempotency-Key": new_id()}
    path = "/extensions/0001*003/code"
    first = api.put(path, json={"code": "24681"}, headers=key).json()
    other = api.put(path, json={"code": "83017"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "request_id_reused")
    assert api.put(path, json={"code": "24681"}, headers=key).json() == first
    assert office.cluster.call("desk002", "*30003", "83017", "24681").outcome == "virtualized"


def test_five_at_once_with_one_key_are_one_move(office: Office) -> None:
    api, headers = office.api(), {"Idempotency-Key": new_id()}

    def move(_: int) -> tuple[int, str]:
        answer = api.post("/extensions/0001*001/virtualize", json={"phone": "desk003"}, headers=headers)
        return answer.status_code, answer.json()["outcome"]

    with ThreadPoolExecutor(5) as programs:
        assert set(programs.map(move, range(5))) == {(200, "virtualized")}
    assert office.world.value("SELECT count(*) FROM journal") == 1


def test_a_guessed_key_is_not_anothers_request(office: Office) -> None:
    headers = {"Idempotency-Key": new_id()}
    mine, theirs = office.api(), office.api()
    assert mine.post("/extensions/0001*001/return", headers=headers).json()["outcome"] == "nothing_to_return"
    office.world.sit("001", "desk002")
    assert theirs.post("/extensions/0001*001/return", headers=headers).json()["outcome"] == "returned"


@pytest.mark.parametrize(
    ("extension", "phone", "status", "code"),
    [
        ("0001*001", "ghost", 404, "unknown_phone"),
        ("0001*099", "desk002", 404, "unknown_extension"),
        ("0001*001", "desk0002-001", 404, "unknown_extension"),
        ("0001*002", "desk004", 409, "not_allowed"),
        ("0001*003", "desk002", 409, "occupied"),
    ],
)
def test_a_refusal_is_a_problem_with_its_code(
    office: Office, extension: str, phone: str, status: int, code: str
) -> None:
    office.world.sit("001", "desk002")
    office.world.sql("UPDATE extension SET allows_virtualization = false WHERE number = '004'")
    answer = office.api().post(f"/extensions/{extension}/virtualize", json={"phone": phone})
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:roost:{code}"


def test_a_code_is_set_used_and_cleared(office: Office) -> None:
    api = office.api(Right.OPERATE, "0001")
    assert api.put("/extensions/0001*003/code", json={"code": "24681"}).json()["outcome"] == "code_set"
    assert office.cluster.call("desk002", "*30003", "24681").outcome == "virtualized"
    assert api.delete("/extensions/0001*003/code").json()["outcome"] == "code_cleared"
    assert office.world.guests() == {}
    assert api.put("/extensions/0001*003/code", json={"code": "12"}).status_code == 422
    assert "24681" not in office.cluster.product.processes["web1"].log.read_text()


def test_the_directory_is_written_and_read(office: Office) -> None:
    api = office.api()
    new = {"code": "0009", "name": "Näin", "max_stay": "8h", "daily_return": "18:30", "policy": "displace"}
    made = api.post("/organizations", json=new)
    assert made.status_code == 201, made.text
    assert made.json() | new == made.json()
    assert api.post("/organizations", json=new).json()["code"] == "duplicate"
    assert api.post("/extensions", json={"extension": "0009*1", "name": "Ann"}).status_code == 201
    assert (
        api.post(
            "/phones", json={"name": "p9", "organization": "0009", "node": "n1", "base": "0009*1"}
        ).status_code
        == 201
    )
    changed = api.patch("/extensions/0009*1", json={"allows_virtualization": True, "max_stay": "90m"})
    assert (changed.json()["allows_virtualization"], changed.json()["max_stay"]) == (True, "1h30m")
    assert api.patch("/phones/p9", json={"node": "n2"}).json()["node"] == "n2"
    assert api.patch("/organizations/0009", json={"max_stay": None}).json()["max_stay"] is None
    assert api.delete("/organizations/0009").json()["code"] == "organization_not_empty"
    assert api.delete("/phones/p9").status_code == 204
    assert api.delete("/extensions/0009*1").status_code == 204
    assert api.delete("/organizations/0009").status_code == 204
    assert api.get("/organizations/0009").json()["code"] == "unknown_organization"


def test_lists_page_by_cursor_without_gap_or_repeat(office: Office) -> None:
    api = office.api()
    for _ in range(7):
        api.post("/extensions/0001*001/return")
    office.world.sql("UPDATE journal SET at = now()")
    office.world.sql(
        "INSERT INTO pbx_node (name, kind, host, port, username, secret, enabled)"
        " SELECT 'off' || n, 'asterisk', 'h', 5038, 'u', '', false FROM generate_series(1, 7) n"
    )
    for path, key in (
        ("/extensions", "key"),
        ("/phones", "name"),
        ("/journal", "request_id"),
        ("/people", "login"),
        ("/nodes", "name"),
    ):
        whole = [row[key] for row in items(api.get(path, params={"limit": 500}))]
        parts: list[str] = []
        cursor = None
        while True:
            part = api.get(path, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
            parts += [row[key] for row in items(part)]
            cursor = part.json()["next"]
            if cursor is None:
                break
        assert parts == whole
        assert len(whole) >= 7
    assert api.get("/extensions", params={"cursor": "bm9uc2Vuc2U"}).json()["code"] == "bad_cursor"


def test_who_was_on_a_phone(office: Office) -> None:
    api = office.api(Right.READ, "0001")
    office.world.sit("001", "desk002")
    at = office.world.now()
    office.world.bring_home("001")
    found = api.get("/phones/desk002/occupant", params={"at": at.isoformat()}).json()
    assert (found["guest"], found["base"]) == ("0001*001", "0001*002")
    future = (office.world.now() + timedelta(days=1)).isoformat()
    assert api.get("/phones/desk002/occupant", params={"at": future}).status_code == 422


def test_a_change_that_is_refused_changes_nothing(office: Office) -> None:
    """A new code, which another has, and a new name beside it."""
    api = office.api()
    before = api.get("/organizations/0001").json()
    answer = api.patch("/organizations/0001", json={"code": "0002", "name": "Renamed", "policy": "displace"})
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert api.get("/organizations/0001").json() == before
    answer = api.patch("/organizations/0001", json={"code": "acme", "name": "Renamed", "enabled": False})
    assert (answer.json()["code"], answer.json()["name"], answer.json()["enabled"]) == (
        "acme",
        "Renamed",
        False,
    )


def test_an_import_is_previewed_and_done_within_one_organization(office: Office) -> None:
    api = office.api(Right.ADMINISTER, "0001")
    csv = "organization,number,name,phone,node\n0001,010,Zoë,desk010,n1\n"
    headers = {"Content-Type": "text/csv"}
    preview = api.post("/import", params={"dry_run": True}, content=csv.encode(), headers=headers)
    assert preview.json()["counts"]["extensions_added"] == 1
    assert api.get("/extensions/0001*010").status_code == 404
    assert api.post("/import", content=csv.encode(), headers=headers).status_code == 200
    assert api.get("/extensions/0001*010").json()["name"] == "Zoë"
    for foreign in ("0002,010,X,desk0002-010,n1", "0001,011,X,desk0002-001,n1"):
        refused = api.post(
            "/import", content=f"organization,number,name,phone,node\n{foreign}\n".encode(), headers=headers
        )
        assert (refused.status_code, refused.json()["code"]) == (422, "import_refused")
    exported = api.get("/export")
    assert "0001,010,Zoë" in exported.text
    again = api.post("/import", content=exported.content, headers=headers).json()
    assert (again["counts"]["desks"], again["changes"]) == (exported.text.count("\n") - 1, [])


def test_health_readiness_and_metrics(office: Office) -> None:
    api = office.api()
    base = office.address
    assert api.get(f"{base}/healthz").json() == {"ok": True}
    ready = api.get(f"{base}/readyz").json()
    assert ready["ok"]
    assert ready["postgresql"]["ok"]
    assert ready["rabbitmq"]["seconds"] >= 0
    metrics = api.get(f"{base}/metrics").text
    for name in (
        "roost_node_behind_changes{",
        "roost_queue_messages{",
        "roost_http_request_duration_seconds_bucket",
        "roost_viewers ",
        "roost_change_applied_seconds_bucket",
        'roost_build_info{kind="web"',
    ):
        assert name in metrics
    checked = promtool("check", "metrics", given=metrics.encode())
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert "desk001" not in metrics
    assert not [
        name
        for name, value in office.cluster.product.environment.items()
        if "_KEY" in name and value in metrics
    ]
    assert office.api(Right.ADMINISTER, "0001").get(f"{base}/metrics").status_code == 403


def test_no_answer_waits_until_the_client_has_confirmed_its_head(office: Office) -> None:
    api = office.api(Right.READ)
    took = []
    for _ in range(60):  # the system confirms the first dozens of a connection at once
        began = time.monotonic()
        api.get("/organizations")
        took.append(time.monotonic() - began)
    assert min(took[-20:]) < 0.035  # it takes 5 ms; a client confirms after 40 at the soonest


def test_a_token_is_shown_once_and_ends_within_a_second(office: Office) -> None:
    api = office.api(Right.ADMINISTER, "0001")
    made = api.post(
        "/tokens", json={"name": "pbx", "organization": "0001", "access": "read", "lifetime": "90d"}
    ).json()
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert api.get("/organizations/0001", headers=headers).status_code == 200
    assert made["token"] not in api.get("/tokens").text
    assert api.delete(f"/tokens/{made['id']}").status_code == 204
    wait_until(lambda: api.get("/organizations/0001", headers=headers).status_code == 401, "it is ended", 2)
    ended = api.get("/organizations/0001", headers=headers)
    assert ended.json()["code"] == "bad_token"
    assert ended.headers["www-authenticate"] == "Bearer"


def test_head_is_answered_as_get_without_the_body_and_opens_no_stream(office: Office) -> None:
    browser, api = office.browser("admin0001").http, office.api(Right.READ, "0001")
    for http, path in (
        (browser, "/healthz"),
        (browser, "/organizations/0001"),
        (api, "/extensions/0001*001"),
    ):
        asked, told = http.get(path), http.head(path)
        assert (told.status_code, told.content, told.headers["content-type"]) == (
            200,
            b"",
            asked.headers["content-type"],
        )
    assert browser.head("/organizations/0002").status_code == 403
    assert browser.head("/live/organizations/0001").status_code == 405
    assert api.head("/events").status_code == 405
