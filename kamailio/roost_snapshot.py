#!/usr/bin/env python3
"""Keeps the routes of the Kamailio on this machine in a file, and gives them back after a restart, with no other part of Roost running.

    roost_snapshot.py --url http://10.0.0.1:8060 --secret-file /etc/kamailio/roost-secret --file /var/lib/kamailio/roost-snapshot

Runs until it is stopped; with --once it looks once, as from a timer. Python 3.9 or newer, nothing else. It needs ROOST_HTTP_FROM of
local.cfg to allow this machine. As soon as Roost has begun to write, what is in the file is not asked any more.

The file has a line for each row, as they are sent, and the cursor last. The cursor is read before the rows: a row may be newer than it
says, never older, and Roost sends again what is newer. The file is renamed into place when it is on the disk.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import secrets
import sys
import time
from base64 import b64decode
from pathlib import Path
from urllib.parse import urlsplit

#: Seconds that one answer may take.
DEADLINE = 30
MAX_BODY = 14_000
#: Bytes of an answer; Kamailio sends 8,192 at most.
MAX_ANSWER = 65_536
_KEY = re.compile(rb"[ep]/[^\x00-\x1f\x7f]+")
_VALUE = re.compile(rb"[^\x00-\x1f\x7f]*")
_CURSOR = re.compile(rb"=cursor\t[^/\t\n]+:[0-9]{1,19}\n")


class Failed(Exception):
    """It could not be saved or given back now."""


class Table:
    """The table of one Kamailio, over a connection of its own."""

    def __init__(self, url: str, secret: str) -> None:
        place = urlsplit(url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(place.hostname or "", place.port, timeout=DEADLINE)
        self._headers = {"Authorization": f"Bearer {secret}"}

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of an answer. Raises Failed, and OSError."""
        self._connection.request(method, f"/roost/{path}", body, self._headers)
        answer = self._connection.getresponse()
        said = answer.read(MAX_ANSWER + 1)
        if answer.status != 200:
            raise Failed(f"{path.partition('/')[0]}: {answer.status} {answer.reason[:80]!r}")
        if len(said) > MAX_ANSWER:
            raise Failed(f"{path.partition('/')[0]}: it answered too much")
        return said

    def cursor(self) -> tuple[str, bytes]:
        """The life of the table, and its cursor; empty when it has none."""
        _, life, cursor, _ = self.ask("GET", "cursor").split(b"\n")
        return life.decode(), cursor

    def rows(self) -> list[bytes]:
        """A line for each row that Roost wrote."""
        listing = secrets.token_hex(8)
        pages, count = map(int, self.ask("GET", f"list/{listing}/rows").split())
        if not 0 <= pages <= count:
            raise Failed("it tells of more pages than rows")
        told: list[bytes] = []
        for page in range(pages):
            told += self.ask("GET", f"page/{listing}/{page}").splitlines()
            if not page < len(told) <= count:
                break
        if len(told) != count:
            raise Failed(f"it told {len(told)} of {count} rows")
        return [line for row in told if (line := _line(row))]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _line(row: bytes) -> bytes | None:
    key, _, value = row.partition(b" ")
    if not value.startswith(b"="):
        return None  # longer than any that Roost writes
    key, value = b64decode(key, validate=True), b64decode(value[1:], validate=True)
    return b"=%s\t%s\n" % (key, value) if _KEY.fullmatch(key) and _VALUE.fullmatch(value) else None


def save(table: Table, file: Path) -> None:
    """Write the whole table into the file; nothing while the table is being sent, for then it is not whole."""
    _, cursor = table.cursor()
    last = b"=cursor\t%s\n" % cursor
    if not _CURSOR.fullmatch(last):
        return
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        output.writelines(table.rows())
        output.write(last)
        output.flush()
        os.fsync(output.fileno())
    new.replace(file)


def give_back(table: Table, life: str, lines: list[bytes]) -> None:
    """Send what was saved, the cursor last and alone. Raises Failed when the table is emptied, or written by Roost, meanwhile."""
    if not lines or not _CURSOR.fullmatch(lines[-1]):
        raise Failed("the file is not whole")
    body: list[bytes] = []
    for line in lines[:-1]:
        if sum(map(len, body)) + len(line) > MAX_BODY:
            _send(table, life, body)
            body = []
        body.append(line)
    _send(table, life, body)
    _send(table, life, lines[-1:])


def _send(table: Table, life: str, lines: list[bytes]) -> None:
    done = table.ask("POST", f"restore/{life}", b"".join(lines)) if lines else b"0"
    if int(done) != len(lines):
        raise Failed(f"it took {int(done)} of {len(lines)} rows")


def look(table: Table, file: Path, saved: bytes) -> bytes:
    """Give the routes back where there are none, or save them where they changed; the cursor that is in the file now."""
    life, cursor = table.cursor()
    if not cursor and file.exists():
        give_back(table, life, file.read_bytes().splitlines(keepends=True))
        print(f"gave {file} back", flush=True)
    elif cursor and cursor != saved:
        save(table, file)
        return cursor
    return saved


def main() -> int:
    """Look every second; save every --every seconds at most."""
    parser = argparse.ArgumentParser(description="Keeps Roost's routes of a Kamailio over its restart.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--secret-file", required=True, type=Path)
    parser.add_argument("--file", required=True, type=Path)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two saves, at least")
    parser.add_argument("--once", action="store_true")
    given = parser.parse_args()
    saved, save_after = b"", 0.0
    while True:
        table = Table(given.url, given.secret_file.read_text().strip())
        failed = False
        try:
            if time.monotonic() >= save_after:
                before, saved = saved, look(table, given.file, saved)
                save_after = time.monotonic() + given.every if saved != before else save_after
            elif not table.cursor()[1]:
                save_after = 0.0
                continue
        except (OSError, ValueError, http.client.HTTPException, Failed) as error:
            failed = True
            print(f"not now: {error}", file=sys.stderr, flush=True)
        finally:
            table.close()
        if given.once:
            return int(failed)
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
