"""Texts that people set, or that stand in an address, are texts and nothing else: no markup, event, formula or header."""

from __future__ import annotations

import csv
import io
import socket
import time

import pytest

from roost.directory.cells import FORMULA
from roost.people.access import Right
from tests.web.all_pages import MARKUP, every_page
from tests.web.office import Office

#: Every text that people set, or that a node or a caller may bring about.
TEXTS = (
    "UPDATE organization SET name = %(text)s",
    "UPDATE extension SET name = %(text)s",
    "UPDATE phone SET emergency_location = %(text)s",
    "UPDATE person SET name = %(text)s",
    "UPDATE token SET name = %(text)s, created_by = %(text)s",
    "UPDATE journal SET actor = %(text)s, reason = %(text)s",
    "UPDATE pbx_node SET last_error = %(text)s, failure = %(text)s, failures = 3, failing_since = now(), enabled = false",
    "INSERT INTO node_refused_row (node_id, key, reason) SELECT id, %(text)s, %(text)s FROM pbx_node",
)
NODES_ARE_WELL = "UPDATE pbx_node SET enabled = true, failures = 0, last_error = NULL, failure = NULL, failing_since = NULL"


def test_no_text_is_markup_on_any_page(office: Office) -> None:
    office.tokens.add("token", Right.READ, "0001")
    office.world.move("001", "desk002")
    office.world.move("003", "desk002", reason="occupied")
    for statement in TEXTS:
        with office.world.database.connection() as connection:
            connection.execute(statement, {"text": MARKUP})
    shown = set()
    for http, path in every_page(office):
        page = http.get(path, params={"q": MARKUP, "said": MARKUP, "next": MARKUP, "cursor": MARKUP})
        again = http.get(path)
        for each in (page, again):
            assert "<img src=x" not in each.text, path
            assert str(1234 * 5677) not in each.text, path
        if "&lt;img src=x" in again.text:
            shown.add(path)
    office.world.sql(NODES_ARE_WELL)
    office.world.sql("DELETE FROM node_refused_row")
    assert {"/organizations/0001", "/extensions/0001*001", "/organizations/0001/journal", "/organizations/0001/people",
            "/organizations/0001/tokens", "/organizations/0001/desks/desk002", "/cluster", "/organizations"} <= shown  # fmt: skip


@pytest.mark.parametrize(
    ("login", "path", "statement"),
    [
        ("admin0001", "/live/organizations/0001", "UPDATE extension SET name = %(text)s"),
        (
            "root",
            "/live/cluster",
            # A node may say what it likes, in several lines too. It is disabled, so that no push says something newer.
            "UPDATE pbx_node SET enabled = false, last_error = %(text)s || E'\\n\\nevent: evil\\rdata: evil' WHERE name = 'n1'",
        ),
    ],
)
def test_no_text_is_markup_or_an_event_of_its_own_in_a_live_page(
    office: Office, login: str, path: str, statement: str
) -> None:
    heard = list[str]()
    ends = time.monotonic() + 20
    with office.browser(login).http.stream("GET", path) as stream:
        lines = stream.iter_lines()

        def hear(text: str) -> None:
            while not any(text in line for line in heard):
                assert time.monotonic() < ends, heard
                heard.append(next(lines))

        hear("event: reload")  # what this page knew is told to be old; from now on it hears of changes
        with office.world.database.connection() as connection:
            connection.execute(statement, {"text": MARKUP})
        hear("&lt;img src=x")
        stream.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    assert not any("<img src=x" in line or str(1234 * 5677) in line for line in heard)
    assert not any(line.startswith(("event: evil", "data: evil")) for line in heard)
    office.world.sql(NODES_ARE_WELL)


def test_no_cell_of_any_table_to_download_is_a_formula(office: Office) -> None:
    evil = "cmd|' /C calc'!A0"
    for place, begins in enumerate(each for each in FORMULA if each.isprintable()):
        office.world.desk(f"1{place}", name=f"{begins}{evil}")
        office.world.move(f"1{place}", "desk002", reason=f"{begins}{evil}")
    office.world.sql("UPDATE phone SET emergency_number = '+1555', emergency_location = '-2+3+cmd'")
    office.world.sql("UPDATE organization SET name = '=1+1'")
    browser, api = office.browser("root"), office.api()
    for answer in (
        browser.get("/organizations/0001/desks.csv"),
        browser.get("/organizations/0001/journal.csv"),
        browser.get("/journal.csv"),
        api.get("/export", params={"organization": "0001"}),
    ):
        cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
        assert sum(evil in cell for cell in cells) >= 8, answer.url
        assert [cell for cell in cells if cell.strip().startswith(FORMULA)] == [], answer.url


@pytest.mark.parametrize(
    "path",
    [
        "/organizations/0001%0d%0aX-Evil:%201/journal.csv", "/organizations/0001/journal.csv?extension=%0d%0aX-Evil:%201",
        "/sign-in?next=/%0d%0aX-Evil:%201", "/sign-in?said=%0d%0aX-Evil:%201", "/extensions/0001*001%0d%0aX-Evil:%201",
        "/api/v1/export?organization=0001%0d%0aX-Evil:%201", "/organizations/0001?q=%0d%0aX-Evil:%201", "/%0d%0aX-Evil:%201",
    ],
)  # fmt: skip
def test_no_text_of_an_address_becomes_a_header(office: Office, path: str) -> None:
    browser = office.browser("root")
    browser.http.follow_redirects = False
    answer = browser.http.get(
        path, headers={"Authorization": f"Bearer {office.token()}"} if "/api/" in path else {}
    )
    assert answer.status_code < 500
    assert "x-evil" not in answer.headers
