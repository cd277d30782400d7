"""The event stream of the API, and live streams with many viewers."""

from __future__ import annotations

import json
import re
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from localcluster import ports
from roost.nodes.watching import ChangesSince
from roost.pbx.node import ActsAs, Cursor
from roost.people.access import Right
from tests.cluster import wait_until
from tests.stopwatch import stopwatch
from tests.web.office import PLAIN, Office
from tests.world import new_id
from workers.web.live.events import write_changes


class Listener:
    """Reads a stream in a thread: (event, data, id) each."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.events: list[tuple[str, Any, str]] = []
        self.heard_at: dict[str, float] = {}
        self._client = httpx.Client(verify=PLAIN, timeout=httpx.Timeout(10, read=60))
        self._context = self._client.stream("GET", address, headers=headers)
        self.response = self._context.__enter__()
        self._closed = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def names(self) -> list[str]:
        return [name for name, *_ in self.events]

    def last_id(self) -> str:
        return [id_ for *_, id_ in self.events if id_][-1]

    def close(self) -> None:
        self._closed = True
        # The reader waits for the next event; closing what it reads from would not wake it up.
        connection: socket.socket = self.response.extensions["network_stream"].get_extra_info("socket")
        connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.response.close()
        self._client.close()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self.response.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = fields[name] + "\n" + value if name in fields else value
                    continue
                if "event" in fields:
                    data = fields.get("data", "")
                    known = json.loads(data) if data.startswith("{") else data
                    self.events.append((fields["event"], known, fields.get("id", "")))
                    self.heard_at.setdefault(fields["event"], time.monotonic())
                fields = {}
        except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
            if not self._closed:
                raise


@contextmanager
def listening(office: Office, organization: str | None = None, last: str = "") -> Iterator[Listener]:
    headers = {"Authorization": f"Bearer {office.token(Right.READ, organization)}"}
    listener = Listener(
        f"{office.address}/api/v1/events", headers | ({"Last-Event-ID": last} if last else {})
    )
    try:
        wait_until(lambda: "cursor" in listener.names(), "the stream began")
        yield listener
    finally:
        listener.close()


def test_a_move_is_heard_within_a_second_and_only_in_its_organization(office: Office) -> None:
    office.cluster.settled()
    with listening(office, "0001") as mine, listening(office, "0002") as theirs, listening(office) as all_:
        api = office.api()
        api.post("/extensions/0001*001/virtualize", json={"phone": "desk002"})
        began = time.monotonic()
        wait_until(lambda: {"extension", "phone"} <= set(mine.names()), "the move is heard")
        assert mine.heard_at["extension"] - began < 1.5
        rings = {"extension": "0001*001", "node": "n2", "phone": "desk002"}
        assert ("extension", rings, "") in mine.events
        assert any(data["number"] == "001" for name, data, _ in mine.events if name == "phone")
        wait_until(lambda: "extension" in all_.names(), "the cluster hears it")
        assert {"extension", "phone"}.isdisjoint(theirs.names())


def test_a_stream_is_resumed_without_a_gap(office: Office) -> None:
    office.cluster.settled()
    with listening(office, "0001") as first:
        last = first.last_id()
    for number, phone in (("001", "desk002"), ("003", "desk004")):
        office.world.move(number, phone)
    office.cluster.settled()
    with listening(office, "0001", last) as again:
        expected = {"0001*001": "desk002", "0001*003": "desk004"}
        wait_until(lambda: moved_in(again).items() >= expected.items(), "both moves are heard")
        wait_until(lambda: again.last_id() != last, "the place after them is told")


@pytest.mark.parametrize("name", ["A\u2028B", "A\u2029B", "A\x85B"])
def test_a_line_separator_in_a_name_is_a_character_of_it(name: str) -> None:
    """Only CR and LF end a line of a stream; httpx, which splits at others too, is no judge of that."""
    acts = ActsAs("desk001", "0001", "001", name, "", "", "0001*001", "", "")
    written = write_changes(ChangesSince(Cursor("1.1", 1), [acts]), "0001")
    lines = re.split("\r\n|\r|\n", written)
    assert json.loads(lines[1].removeprefix("data: "))["name"] == name
    assert lines[2] == ""


def moved_in(listener: Listener) -> dict[str, str]:
    """The extensions that a stream told of, and the phones they went to."""
    return {data["extension"]: data["phone"] for name, data, _ in listener.events if name == "extension"}


@pytest.mark.parametrize("last", ["elsewhere:1", "1.2.3:99999999"])
def test_a_cursor_of_another_lineage_is_told_to_read_anew(office: Office, last: str) -> None:
    headers = {"Authorization": f"Bearer {office.token()}", "Last-Event-ID": last}
    listener = Listener(f"{office.address}/api/v1/events", headers)
    wait_until(lambda: "reset" in listener.names(), "the stream says reset")
    listener.close()


def test_what_is_no_cursor_is_refused(office: Office) -> None:
    answer = office.api().get("/events", headers={"Last-Event-ID": "nonsense"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_event_id")


@pytest.mark.timeout(240)
def test_three_hundred_viewers_see_a_move_within_seconds(office: Office) -> None:
    browser = office.browser("admin0001")
    stream = browser.get("/organizations/0001").text.split('sse-connect="')[1].split('"')[0]
    host, port = office.address.removeprefix("http://").split(":")
    ask = (
        f"GET {stream} HTTP/1.1\r\nHost: x\r\nCookie: roost={browser.http.cookies['roost']}\r\n\r\n".encode()
    )
    with ExitStack() as stack, selectors.DefaultSelector() as waiting:
        heard: dict[socket.socket, bytes] = {}
        for _ in range(300):
            viewer = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
            viewer.sendall(ask)
            heard[viewer] = b""
            waiting.register(viewer, selectors.EVENT_READ)
        read_until(waiting, heard, b"retry: 1000")
        office.world.move("001", "desk002")
        began = time.monotonic()
        read_until(waiting, heard, b"001 Person 001 sits here")
        assert time.monotonic() - began < 5


def read_until(waiting: selectors.BaseSelector, heard: dict[socket.socket, bytes], wanted: bytes) -> None:
    """Read every stream until each has heard this."""
    ends = time.monotonic() + 60
    # Looked for only where something came: the reader must not be what is slow.
    lacking = {viewer for viewer, text in heard.items() if wanted not in text}
    while lacking:
        assert time.monotonic() < ends, f"{len(lacking)} of {len(heard)} have not heard it"
        for key, _ in waiting.select(timeout=1):
            assert isinstance(key.fileobj, socket.socket)
            data = key.fileobj.recv(65_536)
            assert data, heard[key.fileobj][-300:]
            heard[key.fileobj] += data
            if wanted in heard[key.fileobj]:
                lacking.discard(key.fileobj)


#: How somebody loses what they may, by what they see until then; as statements, for any process may run them.
LOSSES = {
    "a token is deleted": ("token", "DELETE FROM token"),
    "a token expires": ("token", "UPDATE token SET expires_at = now()"),
    "a token's organization is disabled": (
        "token",
        "UPDATE organization SET enabled = false WHERE code = '0001'",
    ),
    "a person is disabled": ("page", "UPDATE person SET enabled = false WHERE login = 'admin0001'"),
    "a session is ended": (
        "page",
        "DELETE FROM session s USING person p WHERE p.id = s.person_id AND p.login = 'admin0001'",
    ),
    "a session expires": (
        "page",
        "UPDATE session s SET expires_at = now() FROM person p WHERE p.id = s.person_id AND p.login = 'admin0001'",
    ),
    "a person changes organization": (
        "page",
        "UPDATE person SET organization_id = (SELECT id FROM organization WHERE code = '0002') WHERE login = 'admin0001'",
    ),
    "an administrator becomes an owner": (
        "page",
        (
            "UPDATE person p SET role = 'owner', extension_id = e.id FROM extension e "
            "WHERE p.login = 'admin0001' AND e.organization_id = p.organization_id AND e.number = '003'"
        ),
    ),
    "a person's organization is disabled": (
        "page",
        "UPDATE organization SET enabled = false WHERE code = '0001'",
    ),
    "a person's organization is removed": ("page", "DELETE FROM organization WHERE code = '0001'"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_open_stream_ends_within_a_second_of_the_access_it_needs(office: Office, loss: str) -> None:
    kind, statement = LOSSES[loss]
    other = office.browser("root")  # somebody else, who loses nothing
    with (
        streaming(other.http, "/live/organizations/0002") as kept,
        stream_of(office, kind) as (client, path),
        streaming(client, path) as ended,
    ):
        office.world.sql(statement)
        end_within_a_second(ended)
        assert not kept.is_set()


def test_a_new_password_ends_the_streams_of_the_old_one(office: Office) -> None:
    with stream_of(office, "page") as (client, path), streaming(client, path) as ended:
        office.people.set_password("admin0001", new_id())
        end_within_a_second(ended)


def test_in_every_web_process_the_streams_of_who_lost_access_end_within_a_second(office: Office) -> None:
    """Each process looks for itself; whoever is cut off in one must not go on in another."""
    product = office.cluster.product
    product.web_ports.append(ports.free_port())
    other = product._worker("web", len(product.web_ports))
    other.start()
    try:
        browser, token = office.browser("admin0001").http, office.api(Right.READ, "0001")
        page, events = "/live/organizations/0001", "/api/v1/events"
        with ExitStack() as stack:
            ended = [
                stack.enter_context(streaming(client, f"{address}{path}"))
                for address in product.pages
                for client, path in ((browser, page), (token, events))
            ]
            kept = stack.enter_context(streaming(office.browser("root").http, "/live/organizations/0002"))
            office.world.sql("UPDATE organization SET enabled = false WHERE code = '0001'")
            end_within_a_second(*ended)
            assert not kept.is_set()
    finally:
        exit_code = other.stop()
        product.web_ports.pop()
    assert exit_code == 0


def end_within_a_second(*ended: threading.Event) -> None:
    """All of these streams end."""
    with stopwatch() as seconds:
        assert all(each.wait(10) for each in ended), "a stream went on"
        assert seconds() < 1


@contextmanager
def stream_of(office: Office, kind: str) -> Iterator[tuple[httpx.Client, str]]:
    """Who watches organization 0001 by its page or with a token, and what."""
    if kind == "page":
        yield office.browser("admin0001").http, "/live/organizations/0001"
    else:
        yield office.api(Right.READ, "0001"), "/events"


@contextmanager
def streaming(client: httpx.Client, path: str) -> Iterator[threading.Event]:
    """A stream that has begun; the event is set when it has ended."""
    ended, leaving = threading.Event(), threading.Event()
    with client.stream("GET", path, timeout=httpx.Timeout(10, read=60)) as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        assert next(lines)

        def read() -> None:
            try:
                for _ in lines:
                    pass
            except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
                if not leaving.is_set():
                    raise
            ended.set()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield ended
        finally:
            leaving.set()
            # A read that waits does not hear of a close.
            response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            response.close()
            thread.join(10)
