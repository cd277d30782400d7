"""The event stream of the API, and live streams with many viewers."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from roost.people.access import Right
from tests.cluster import wait_until
from tests.web.office import Office


class Listener:
    """Reads a stream in a thread: (event, data, id) each."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.events: list[tuple[str, Any, str]] = []
        self.heard_at: dict[str, float] = {}
        self._client = httpx.Client(timeout=httpx.Timeout(10, read=60))
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
        self.response.close()
        self._client.close()
        self._thread.join(10)

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
        moved = {data["extension"]: data["phone"] for name, data, _ in again.events if name == "extension"}
        assert moved["0001*001"] == "desk002"
        assert moved["0001*003"] == "desk004"
        assert again.last_id() != last


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
