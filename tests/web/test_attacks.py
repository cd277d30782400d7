"""What somebody tries who may come to the page or the API: headers of others, marks and keys of another organization, two requests in one."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from localcluster.process import wait_until
from roost.people.access import Right
from roost.people.person import Role
from tests.web.all_pages import every_page
from tests.web.office import PLAIN, Office, items

NOT_HERE = "evil.example"


@pytest.mark.parametrize("headers", [{"Host": NOT_HERE}, {"X-Forwarded-Host": NOT_HERE, "Forwarded": f"host={NOT_HERE}", "X-Forwarded-Proto": "https"}])  # fmt: skip
def test_no_answer_is_kept_or_names_the_host_that_the_asker_named(
    office: Office, headers: dict[str, str]
) -> None:
    """A cache between would else keep what is one person's, or send people elsewhere."""
    api = office.api()
    asked = [
        *every_page(office),
        *(
            (api, path)
            for path in ("/organizations", "/organizations/", "/nope", "/journal?since=x", "/openapi.json")
        ),
    ]
    stranger = httpx.Client(verify=PLAIN, base_url=office.address)
    asked += [
        (stranger, path)
        for path in (
            "/",
            "/cluster",
            "/sign-in/",
            "/static",
            "/nope",
            "/api/v1/organizations",
            "/organizations/0001",
        )
    ]
    for http, path in asked:
        answer = http.get(path, headers=headers)
        assert NOT_HERE not in answer.text + str(answer.headers), path
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
    stranger.close()


def test_a_mark_of_another_organization_shows_nothing_of_it(office: Office) -> None:
    """Where a list goes on, and where a stream does, is said by who asks."""
    everything, ours = office.api(), office.api(Right.ADMINISTER, "0001")
    for path, key in (
        ("/extensions", "organization"),
        ("/phones", "organization"),
        ("/people", "organization"),
        ("/tokens", "organization"),
    ):
        cursor = ""
        while cursor is not None:
            cursor = everything.get(
                path, params={"limit": 1, **({"cursor": cursor} if cursor else {})}
            ).json()["next"]
            if cursor:
                seen = items(ours.get(path, params={"cursor": cursor}))
                assert {each.get(key) for each in seen} <= {"0001"}, path
    office.world.move("001", "desk0002-002", organization="0002")
    office.world.move("001", "desk002")
    theirs = everything.get("/journal", params={"organization": "0002", "limit": 1}).json()
    again = ours.get("/journal", params={"cursor": theirs["next"]} if theirs["next"] else {})
    assert {each["organization"] for each in items(again)} <= {"0001"}
    refused = ours.get("/journal", params={"organization": "0002"})
    assert (refused.status_code, "0002-002" in refused.text) == (403, False)


def test_a_stream_that_resumes_hears_of_its_own_organization_alone(office: Office) -> None:
    office.cluster.settled()
    start = office.world.value("SELECT max(version) FROM route")
    lineage = office.world.value("SELECT lineage FROM read_head()")
    office.world.move("001", "desk0002-002", organization="0002")
    office.world.move("001", "desk002")
    office.cluster.settled()
    heard = ""
    headers = {
        "Authorization": f"Bearer {office.token(Right.READ, '0001')}",
        "Last-Event-ID": f"{lineage}:{start}",
    }
    with httpx.stream(
        "GET", f"{office.address}/api/v1/events", headers=headers, timeout=20, verify=PLAIN
    ) as stream:
        assert stream.status_code == 200, stream.read()
        for line in stream.iter_lines():
            heard += line + "\n"
            if "cursor" in line:
                break
    assert "0001*001" in heard
    assert "0002" not in heard


def test_who_has_no_account_hears_what_who_mistyped_hears(office: Office) -> None:
    """The answer does not tell whether there is such a login, or whether it may sign in; nor does the work (tests/core/test_oracle.py)."""
    office.people.set_enabled("owner0001-002", enabled=False)
    browser = office.browser()
    heard = []
    for login in ("admin0001", "nobody", "owner0001-002"):
        answer = browser.sign_in(login, "a wrong password")
        page = re.sub(
            'value="[0-9a-f]{16,}"', "", answer.text.replace(login, "LOGIN")
        )  # proofs are fresh ones
        heard.append((answer.status_code, page))
    assert heard[0][0] == 401
    assert heard[0] == heard[1] == heard[2]


def test_a_key_of_one_organization_says_nothing_to_another(office: Office) -> None:
    """A program that sends another's Idempotency-Key hears what its own request came to, and takes nobody's answer away."""
    ours, theirs = office.api(Right.OPERATE, "0001"), office.api(Right.OPERATE, "0002")
    key = {"Idempotency-Key": "1"}
    first = ours.post("/extensions/0001*001/virtualize", json={"phone": "desk002"}, headers=key)
    assert first.json()["outcome"] == "virtualized"
    stolen = theirs.post("/extensions/0001*001/virtualize", json={"phone": "desk002"}, headers=key)
    assert (stolen.status_code, "desk002" in stolen.text) == (403, False)
    own = theirs.post("/extensions/0002*001/return", headers=key)
    assert own.json()["outcome"] == "nothing_to_return"
    again = ours.post("/extensions/0001*001/virtualize", json={"phone": "desk002"}, headers=key)
    assert again.json() == first.json()


def test_who_was_on_another_organizations_phone_of_the_same_name_is_not_told(office: Office) -> None:
    theirs, ours = office.api(), office.api(Right.ADMINISTER, "0001")
    office.world.move("001", "desk0002-002", organization="0002")
    at = {"at": office.world.now().isoformat()}
    assert theirs.delete("/phones/desk0002-002").status_code == 204
    new = {"name": "desk0002-002", "organization": "0001", "node": "n1", "base": "0001*009"}
    assert ours.post("/extensions", json={"extension": "0001*009"}).status_code == 201
    assert ours.post("/phones", json=new).status_code == 201
    found = ours.get("/phones/desk0002-002/occupant", params=at).json()
    assert (found["guest"], found["since"], found["until"], found["certain"]) == (None, None, None, False)
    assert theirs.get("/phones/desk0002-002/occupant", params=at).json()["guest"] == "0002*001"
    office.world.sql(
        "DELETE FROM journal WHERE outcome = 'virtualized'"
    )  # as if it began later: who left tells who was there
    found = ours.get("/phones/desk0002-002/occupant", params=at).json()
    assert (found["guest"], found["until"], found["certain"]) == (None, None, False)


@pytest.mark.parametrize("how", ["renamed", "removed"])
def test_who_is_given_a_code_reads_nothing_of_who_had_it_before(office: Office, how: str) -> None:
    everything = office.api()
    office.world.move("001", "desk0002-002", organization="0002")
    at = {"at": office.world.now().isoformat()}
    if how == "renamed":
        assert everything.patch("/organizations/0002", json={"code": "0009"}).status_code == 200
    else:
        removal = everything.delete("/organizations/0002", params={"with_everything": True})
        assert removal.status_code in {202, 204}
        wait_until(lambda: everything.get("/organizations/0002").status_code == 404, 20, "it is removed")
    assert everything.post("/organizations", json={"code": "0002"}).status_code == 201
    assert everything.post("/extensions", json={"extension": "0002*001"}).status_code == 201
    assert items(everything.get("/journal", params={"phone": "desk0002-002"})) != []
    new = office.api(Right.ADMINISTER, "0002")
    for asked in ({}, {"extension": "0002*001"}, {"phone": "desk0002-002"}):
        assert items(new.get("/journal", params=asked)) == []
    office.world.person("new", office.password, Role.ADMINISTRATOR, organization="0002")
    page = office.browser("new").get("/extensions/0002*001")
    assert (page.status_code, "desk0002-002" in page.text) == (200, False)
    if how == "removed":  # then the phone's name is free too
        phone = {"name": "desk0002-002", "organization": "0002", "node": "n1", "base": "0002*001"}
        assert everything.post("/phones", json=phone).status_code == 201
        assert new.get("/phones/desk0002-002/occupant", params=at).json()["guest"] is None


def test_with_an_organization_go_its_tokens_and_sessions(office: Office) -> None:
    token, browser = office.api(Right.ADMINISTER, "0002"), office.browser("admin0002")
    office.world.sql("DELETE FROM organization WHERE code = '0002'")
    assert token.get("/extensions").status_code == 401
    assert browser.get("/account").url.path == "/sign-in"
    office.world.organization("0002")
    assert token.get("/extensions").status_code == 401, "another of the same name"


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: x\r\nCookie: roost=secret\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ],
    ids=[
        "two-lengths",
        "two-content-lengths",
        "two-hosts",
        "space-before-colon",
        "long-header",
        "trace",
        "connect",
    ],
)
def test_a_request_that_can_be_read_two_ways_is_refused(office: Office, request_head: bytes) -> None:
    """A proxy before us might read it the other way, and take what follows for another person's request."""
    place = urlsplit(office.address)
    assert place.hostname
    assert place.port
    heard = b""
    with (
        socket.create_connection((place.hostname, place.port), timeout=10) as connection,
        suppress(ConnectionError),  # it may be refused before all of it was sent
    ):
        connection.sendall(request_head)
        with suppress(OSError):  # the other side has closed it
            connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(65536):
            heard += data
    first = heard.split(b"\r\n", 1)[0]
    assert heard.count(b"HTTP/1.1 ") <= 1
    assert not first or first.split()[1][:1] == b"4", first
    assert b"secret" not in heard


@pytest.mark.parametrize("path", ["/api/v1/import", "/organizations/0001/import"])
def test_nobodys_file_is_waited_for_or_held(office: Office, path: str) -> None:
    """Five megabytes each from many who have no token would be the memory of all."""
    place = urlsplit(office.address)
    assert place.hostname
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 4000000\r\n\r\nx"
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536).split()[1] in {b"401", b"303"}


def test_nobody_says_themselves_where_they_are(office: Office) -> None:
    """Limits go by the address; without a proxy that is trusted it is the connection's."""
    browser = office.browser()
    browser.http.headers.update(
        {
            "X-Forwarded-For": "203.0.113.9",
            "X-Real-IP": "203.0.113.9",
            "Forwarded": "for=203.0.113.9",
        }
    )
    browser.sign_in("admin0001", "a wrong password")
    assert office.world.rows("SELECT address FROM sign_in_try") == [("127.0.0.1",)]
