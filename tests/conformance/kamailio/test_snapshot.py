"""What keeps a Kamailio's routes in a file, when something else answers in its place."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcluster.kamailio import SOURCES
from tests.conformance.kamailio.web_server import WebServer, ok, status

BEFORE = b"=cursor\tdb-1:7\n"
CURSOR = ok(b"roost 1\n1-2\ndb-1:8\n")


def row(key: bytes, told: bytes) -> bytes:
    """A line of a page."""
    return b"%s %s\n" % (b64encode(key), told)


GOOD = row(b"e/0001*001", b"=" + b64encode(b"k1/desk-1"))
#: How the cursor, the list and its pages are answered, and what is said of it.
ANSWERS: dict[str, tuple[bytes, bytes, bytes, str]] = {
    "no end": (CURSOR, ok(b"1 1\n"), ok(GOOD.rstrip() + b"=" * 70_000), "page: it answered too much"),
    "more pages than rows": (CURSOR, ok(b"900000000 1\n"), ok(GOOD), "it tells of more pages than rows"),
    "more rows than it said": (CURSOR, ok(b"2 2\n"), ok(GOOD * 3), "it told 3 of 2 rows"),
    "empty pages": (CURSOR, ok(b"900000000 900000000\n"), ok(b""), "it told 0 of 900000000 rows"),
    "no rows": (CURSOR, ok(b"1 1\n"), ok(b"%%% =%%%\n"), ""),
    "a shop": (ok(b"<html>"), ok(b""), ok(b""), ""),
    "no": (status("403 No\x1b[2J"), ok(b""), ok(b""), "cursor: 403 'No\\x1b[2J'"),
}


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[Callable[[bytes, bytes, bytes], subprocess.CompletedProcess[str]]]:
    """Looks once, with these answers; the file that was there before is in this folder."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "file").write_bytes(BEFORE)
    servers: list[WebServer] = []

    def look(cursor: bytes, listed: bytes, page: bytes) -> subprocess.CompletedProcess[str]:
        def answer(line: bytes, _: bytes) -> bytes:
            return cursor if b"/cursor" in line else listed if b"/list/" in line else page

        servers.append(WebServer(answer))
        address = servers[0].address
        return subprocess.run(
            [
                sys.executable, str(SOURCES / "roost_snapshot.py"), "--once", "--url", f"http://{address.host}:{address.port}",
                "--secret-file", str(tmp_path / "secret"), "--file", str(tmp_path / "file"),
            ],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    yield look
    for server in servers:
        server.close()


@pytest.mark.parametrize("what", ANSWERS)
def test_what_is_no_table_is_not_kept(
    snapshot: Callable[[bytes, bytes, bytes], subprocess.CompletedProcess[str]], tmp_path: Path, what: str
) -> None:
    *answers, said = ANSWERS[what]
    done = snapshot(*answers)
    assert done.returncode == 1
    assert done.stderr.startswith(f"not now: {said}")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "file").read_bytes() == BEFORE


def test_a_row_that_is_too_long_is_left_out(
    snapshot: Callable[[bytes, bytes, bytes], subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = snapshot(CURSOR, ok(b"1 2\n"), ok(GOOD + row(b"e/0001*002", b"?")))
    assert done.returncode == 0
    assert (tmp_path / "file").read_bytes() == b"=e/0001*001\tk1/desk-1\n=cursor\tdb-1:8\n"
