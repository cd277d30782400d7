"""Programs that mean harm, or are broken: bodies that are too much, and text that is none."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import unquote, urlsplit

import httpx
import psutil
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from roost.settings import Settings
from tests.cluster import wait_until
from tests.stopwatch import stopwatch
from tests.web.office import PLAIN, Office
from workers.web import limits


@pytest.fixture
def memory(office: Office) -> Iterator[None]:
    """The web process does not grow."""
    process = psutil.Process(office.cluster.product.processes["web1"].pid)
    before = process.memory_info().rss
    yield
    assert process.memory_info().rss - before < 60_000_000


def ten_megabytes() -> Iterator[bytes]:
    for _ in range(160):
        yield b"x" * 65_536


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
@pytest.mark.parametrize(
    "path", ["/api/v1/organizations", "/api/v1/import", "/sign-in", "/organizations/0001/import"]
)
def test_ten_megabytes_are_refused_in_time(office: Office, path: str, *, announced: bool) -> None:
    headers = {"Authorization": f"Bearer {office.token()}", "Content-Type": "application/json"}
    if path in {"/sign-in", "/organizations/0001/import"}:
        browser = office.browser("admin0001")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"roost={browser.http.cookies['roost']}",
        }
    if path == "/api/v1/import":
        headers["Content-Type"] = "text/csv"
    started = time.monotonic()
    with httpx.Client(verify=PLAIN, base_url=office.address, timeout=20) as client:
        try:
            body = b"x" * 10_485_760 if announced else ten_megabytes()
            status = client.post(path, content=body, headers=headers).status_code
        except httpx.WriteError:
            status = 413  # closed while we were still sending
    assert status == 413
    assert time.monotonic() - started < 10


def test_a_body_of_nearly_the_limit_is_taken(office: Office) -> None:
    """It arrives in pieces: what is left of the limit is not what the whole of it must fit into."""
    browser, api = office.browser("admin0001"), office.api()
    file = b"nonsense\n" + b"0001\n" * (limits.MAX_IMPORT // 5 - 200)
    page = browser.http.post(
        "/organizations/0001/import",
        data={"csrf": browser.csrf},
        files={"file": ("desks.csv", file, "text/csv")},
    )
    program = api.post("/import", content=file, headers={"Content-Type": "text/csv"})
    assert (page.status_code, program.status_code) == (422, 422), "of such a column nobody knows"
    assert "nonsense" in page.text
    # What was shown before it is done is sent once more by the browser, which ends lines its own way.
    text = file.replace(b"\n", b"\r\n").decode()
    again = {"csrf": (None, browser.csrf), "text": (None, text), "apply": (None, "yes")}
    done = browser.http.post("/organizations/0001/import", files=again)
    assert (done.status_code, "nonsense" in done.text) == (422, True)
    more = {"file": ("desks.csv", file + 2000 * b"0001\n", "text/csv")}
    page = browser.http.post("/organizations/0001/import", data={"csrf": browser.csrf}, files=more)
    assert page.status_code == 413
    small = api.post("/organizations", json={"code": "0009", "name": "x" * 60_000})
    assert small.json()["code"] == "invalid"


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000, b'{"a":' * 12_000, b"\xff\xfe\xfa", b'{"code": "\xc3\x28"}', b'{"code": "\\ud800"}',
        b'{"code": "0009", "name": "\\ud800"}', b'{"code": "0009", "name": "\\u0000"}', b'{"code": NaN}', b"null", b"",
        b'{"code": "0009", "lock_after": 1e999}', b'{"code": "0009", "lock_after": ' + b"9" * 5000 + b"}",
        json.dumps({"code": "0009", "unknown": 1}).encode(), b'{"code": "0009", "max_stay": "99999d99999h"}',
    ],
)  # fmt: skip
def test_broken_json_is_refused(office: Office, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = office.api().post("/organizations", content=body, headers=headers)
    if answer.status_code == 201:
        assert body.endswith(b'"99999d99999h"}')  # long, and valid
        return
    assert answer.status_code in {400, 413, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "raw",
    ["/extensions/%FF", "/journal?phone=%FF%00", "/organizations/%F0%9F%90%94", "/extensions?search=%00"],
)
def test_bad_utf8_in_addresses_is_refused(office: Office, raw: str) -> None:
    for answer in (office.api().get(raw), office.browser("root").get(raw)):
        assert answer.status_code in {403, 404, 422}


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"], ids=["headers", "bodies"]
)  # fmt: skip
def test_thousands_of_half_sent_requests_keep_nobody_out(office: Office, said: bytes) -> None:
    """More than the process takes: each newcomer takes the place of one who only waits."""
    with crowding(urlsplit(office.address).netloc, said):
        # This one stands behind them at the door; the process may be busy with what came before.
        assert httpx.get(f"{office.address}/healthz", timeout=20, verify=PLAIN).status_code == 200
        with stopwatch() as seconds:
            assert httpx.get(f"{office.address}/healthz", timeout=20, verify=PLAIN).status_code == 200
            assert seconds() < 1
        wait_until(lambda: taken(office) <= Settings().web_max_connections // 2, "one address has its share")
    log = office.cluster.product.processes["web1"].log.read_text()
    assert log.count("house_full") <= 2, "once a minute"


def taken(office: Office) -> int:
    """How many connections the page has open."""
    process = psutil.Process(office.cluster.product.processes["web1"].pid)
    port = urlsplit(office.address).port
    return sum(
        each.laddr.port == port and each.status == psutil.CONN_ESTABLISHED
        for each in process.net_connections()
    )


def test_thousands_of_silent_connections_keep_no_caller_out(office: Office) -> None:
    with crowding(office.cluster.product.centers[0], b"agi_network: yes\n"):
        # This one stands behind them at the door, which may take a busy machine long to go through; then the house is full.
        assert office.cluster.call("desk001", "*30").outcome == "nothing_to_return"
        with stopwatch() as seconds:
            assert office.cluster.call("desk001", "*30").outcome == "nothing_to_return"
            assert seconds() < 2


def test_connections_that_are_closed_at_once_keep_nobody_out(office: Office) -> None:
    for place in (urlsplit(office.address).netloc, office.cluster.product.centers[0]):
        host, port = place.rsplit(":", 1)
        for _ in range(600):
            socket.create_connection((host, int(port)), timeout=20).close()
    assert httpx.get(f"{office.address}/healthz", timeout=20, verify=PLAIN).status_code == 200
    assert office.cluster.call("desk001", "*30").outcome == "nothing_to_return"


def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then: the time is for the whole, not from one byte to the next."""
    monkeypatch.setattr(limits, "BODY_DEADLINE", 0.3)

    async def drip() -> dict[str, object]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def read(_scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            await receive()

    scope = {"type": "http", "method": "POST", "path": "/sign-in", "headers": [(b"content-length", b"60000")]}
    with pytest.raises(HTTPException) as refused:
        asyncio.run(limits.Limits(read)(scope, drip, drip))  # type: ignore[arg-type]  # nothing is sent
    assert refused.value.status_code == 408


@contextmanager
def crowding(address: str, said: bytes) -> Iterator[None]:
    """Open connections that say this much and then wait, a hundred more than there is room for."""
    host, port = address.rsplit(":", 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard)
    )
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(3_100):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=20)).sendall(said)
        yield


@pytest.mark.parametrize("text", ["a%00b", "%00", "%ED%A0%80", "x" * 20_000, "e%CC%81" * 5_000])
def test_no_text_in_an_address_or_a_form_is_a_fault_of_ours(office: Office, text: str) -> None:
    """NUL, half a character, far too much, another normal form; in each part of an address, and in each form."""
    browser, api = office.browser("root"), office.api()
    for path in (
        "/organizations/{}", "/organizations/{}/policy", "/organizations/{}/journal", "/organizations/0001?q={}", "/extensions/{}",
        "/organizations/0001/desks/{}", "/journal?phone={}", "/journal?extension={}", "/journal?cursor={}", "/?said={}",
    ):  # fmt: skip
        assert browser.get(path.format(text)).status_code < 500, path
    for path in (
        "/organizations/{}", "/organizations?cursor={}", "/extensions/{}", "/extensions?search={}", "/extensions?organization={}",
        "/phones/{}", "/phones?node={}", "/phones?search={}", "/nodes/{}", "/people/{}", "/journal?extension={}",
        "/extensions/0001*001/where?x={}",
    ):  # fmt: skip
        assert api.get(path.format(text)).status_code < 500, path
    given = unquote(text, errors="replace")
    with httpx.Client(verify=PLAIN, base_url=office.address, timeout=20) as stranger:
        form = stranger.get("/sign-in").text
        proof = form.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        answer = stranger.post(
            "/sign-in", data={"csrf": proof, "login": given, "password": given, "next": given}
        )
        assert answer.status_code in {401, 413, 429}
    for path, fields in (
        ("/organizations/0001/virtualize", {"number": given, "phone": given, "reason": given}),
        (
            "/organizations/0001/people",
            {"login": given, "name": given, "role": "administrator", "password": given},
        ),
        ("/people/change", {"login": given, "do": "remove"}),
        ("/tokens", {"name": given, "organization": given, "access": "read", "lifetime": given}),
        ("/organizations/0001/import", {"text": f"organization,number,name\n0001,001,{given}"}),
        ("/extensions/0001*001/code", {"code": given, "again": given}),
        ("/extensions/0001*001/virtualize", {"phone": given, "reason": given}),
        ("/organizations", {"code": given, "name": given}),
    ):
        assert browser.post(path, **fields).status_code < 500, path
