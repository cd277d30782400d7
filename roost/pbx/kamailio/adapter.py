"""The adapter for Kamailio 5.6 to 6.1: the node's table in its memory, reached over HTTP (`kamailio/roost.cfg`).

Facts, tried on 5.6.3, 6.0.1 and 6.1.5:

- A loop of a script stops after `max_while_loops` rounds, and the script goes on as if all were done; memory that is full fails
  an assignment with no more than a line in the log. So each body is answered with the number of its rows that are there.
- 6.x closes a connection on a body larger than `tcp_rd_buf_size` (16,384 unless it is set). Rows go 98,000 a second in bodies of
  4 to 60 kB.
- An answer is at most `pv_buffer_size` (8,192 bytes) long; over that nothing is sent.
- A TAB in a value would cut it, and a line end begin another row; `roost.pbx.checked` lets neither come here.
- A restart empties the table, and another connection is none the wiser. So the table holds its `life`, made with the first look at the
  cursor; who writes rows and then the cursor names the life it saw, and hears 409 when that is gone.
"""

from __future__ import annotations

import re
import secrets
import time
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from roost.errors import NodeRefused, NodeUnavailable
from roost.pbx import row_text
from roost.pbx.kamailio.http import ProtocolError
from roost.pbx.kamailio.options import KamailioOptions
from roost.pbx.kamailio.session import KamailioSession
from roost.pbx.node import Change, Cursor, Gone, Key, Kind, NodeAddress, RefusedRow, Rings, key_of
from roost.pbx.sound_rows import SoundRows
from roost.wording import count_of

#: Bytes of a body, and of a row with its key.
MAX_BODY = 14_000
LONGEST_ROW = 1_500
#: Keys asked for in one request: as many rows of the usual size as an answer holds.
READ_AT_ONCE = 40
#: Pages that the node laid down, fetched at once; each holds some hundred keys.
PAGES_AT_ONCE = 2
#: Changes made ready at a time: two or three bodies of them, so that the node does not wait for all the others.
ENCODED = 500
_LIFE = re.compile("[0-9A-Za-z-]{1,64}")
_NOT_KAMAILIO = (
    "Something answers there that is no Kamailio with Roost's roost.cfg; look at the host and the port."
)


class State(NamedTuple):
    """What a Kamailio says of itself; `ahead` are the seconds that its clock is before ours, `name` and `feature` what stands in its local.cfg."""

    version: str
    rows: int
    max_while_loops: int
    ahead: int
    name: str
    feature: str


class KamailioNode:
    """A connection to one Kamailio; a `roost.pbx.node.PbxNode`."""

    def __init__(self, address: NodeAddress, options: KamailioOptions, deadline: float) -> None:
        self._place = f"{address.host}:{address.port}"
        self._session = KamailioSession(address, options, deadline)
        self._life = ""
        self.cursor()

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one. What is applied afterwards is for the life seen here."""
        with self._session.deadline():
            said = _text(self._session.ask("GET", "/roost/cursor")).split("\n")
            if len(said) != 4 or said[0] != "roost 1" or not _LIFE.fullmatch(said[1]):
                raise NodeRefused(f"{self._place}: {_NOT_KAMAILIO}")
        self._life = said[1]
        return Cursor.parse(said[2])

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        """Write every change, in order; when all are there, write the cursor, if one is given.

        Refused are rows that are too long.
        """
        refused: dict[Key, str] = {}

        def short(lines: list[bytes], some: Sequence[Change]) -> Iterator[bytes]:
            for line, change in zip(lines, some, strict=True):
                refused.pop(key_of(change), None)
                if len(line) > LONGEST_ROW:
                    refused[key_of(change)] = f"It has more than {LONGEST_ROW} bytes."
                else:
                    yield line

        def texts() -> Iterator[bytes]:
            place = 0
            for lines in _lines(changes):
                end = place + len(lines)
                if refused or max(map(len, lines)) > LONGEST_ROW:
                    yield b"".join(short(lines, changes[place:end]))
                else:
                    yield b"".join(lines)
                place = end

        with self._session.deadline():
            self._send(texts())
            if cursor is not None:
                self._send([b"=%s\t%s\n" % (row_text.CURSOR_KEY.encode(), str(cursor).encode())])
        return [RefusedRow(key, reason) for key, reason in refused.items()]

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        """What the node holds under these keys: None for a value that cannot be read; what it lacks is left out."""
        table: dict[Key, Change | None] = {}
        pieces = deque(
            list(keys[place : place + READ_AT_ONCE]) for place in range(0, len(keys), READ_AT_ONCE)
        )
        asked: deque[list[Key]] = deque()

        def ask() -> tuple[str, str, bytes] | None:
            if not pieces:
                return None
            piece = pieces.popleft()
            asked.append(piece)
            return "POST", "/roost/read", b"".join(b64encode(_bytes(key)) + b"\n" for key in piece)

        def hear(body: bytes) -> None:
            piece = asked.popleft()
            rows = body.split(b"\n")[:-1]
            if not 0 < len(rows) <= len(piece):
                raise ProtocolError("It told other rows than it was asked for.")
            for key, row in zip(piece, rows, strict=False):
                if row != b"-":
                    value = _value(row)
                    table[key] = None if value is None else _read_row(key, value)
            if len(rows) < len(piece):
                pieces.append(piece[len(rows) :])

        with self._session.deadline():
            self._session.ask_many(ask, hear)
        return table

    def keys(self, about: int) -> Iterator[list[Key]]:  # noqa: ARG002  # a page is small, however many there are
        """The keys the node holds, a page at a time, each once."""
        for rows in self._list("keys"):
            yield [key for name, _ in rows if (key := _key(name))]

    def dump(self) -> dict[Key, Change | None]:
        """All the node holds, at once; None for a value that cannot be read."""
        table: dict[Key, Change | None] = {}
        for rows in self._list("rows"):
            for name, value in rows:
                if key := _key(name):
                    table[key] = None if value is None else _read_row(key, value)
        return table

    def health(self) -> str:
        """The PBX's name and version, and how many rows it holds."""
        state = self.state()
        return f"Kamailio {state.version}, {count_of(state.rows, 'row')}"

    def state(self) -> State:
        """What it says of itself."""
        with self._session.deadline():
            said = _text(self._session.ask("GET", "/roost/health")).split("\n")
            if len(said) != 7:
                raise ProtocolError("It does not say how it is.")
            rows, loops, clock = (_number(each.encode()) for each in said[1:4])
        version, name, feature = said[0], *said[4:6]
        return State(version[:40], rows, loops, clock - int(time.time()), name[:64], feature[:40])

    def close(self) -> None:
        """Close the connection; never raises."""
        self._session.close()

    def _send(self, texts: Iterable[bytes]) -> None:
        """Send these texts of whole lines in bodies, each made while the node works on those before; raises NodeRefused when some of a body are not there afterwards."""
        bodies = _bodies(texts)
        sent: deque[int] = deque()

        def ask() -> tuple[str, str, bytes] | None:
            body = next(bodies, None)
            if body is None:
                return None
            sent.append(body.count(b"\n"))
            return "POST", f"/roost/apply/{self._life}", body

        def hear(body: bytes) -> None:
            wanted, done = sent.popleft(), _number(body.rstrip(b"\n"))
            if done != wanted:
                raise NodeRefused(
                    f"{self._place}: It took {done} of {count_of(wanted, 'row')}; set max_while_loops=1000000 there, and look whether its "
                    "shared memory is full (kamailio -m)."
                )

        self._session.ask_many(ask, hear)

    def _list(self, what: str) -> Iterator[list[tuple[bytes, bytes | None]]]:
        """Names and, if asked for, values of the whole table, a page at a time, as it was when the first was asked for."""
        listing = secrets.token_hex(8)
        with self._session.deadline():
            said = self._session.ask("GET", f"/roost/list/{listing}/{what}").split()
            if len(said) != 2:
                raise ProtocolError("It does not say how long its table is.")
            pages, rows = map(_number, said)
            if pages > rows:
                raise ProtocolError("It tells of more pages than rows.")
        told = 0
        for first in range(0, pages, PAGES_AT_ONCE):
            numbers = iter(range(first, min(first + PAGES_AT_ONCE, pages)))
            lines: list[tuple[bytes, bytes | None]] = []

            def ask(numbers: Iterator[int] = numbers) -> tuple[str, str, bytes] | None:
                number = next(numbers, None)
                return None if number is None else ("GET", f"/roost/page/{listing}/{number}", b"")

            def hear(body: bytes, lines: list[tuple[bytes, bytes | None]] = lines) -> None:
                if not body:  # or a listing would have no end, and all other audits wait for it
                    raise ProtocolError("A page of its table is empty.")
                for row in body.split(b"\n")[:-1]:
                    name, _, value = row.partition(b" ")
                    lines.append((_decoded(name), _value(value)))

            with self._session.deadline():
                self._session.ask_many(ask, hear)
            told += len(lines)
            yield lines
        if told != rows:
            raise NodeUnavailable(f"{self._place}: It told {told} of {count_of(rows, 'row')}.")


def _lines(changes: Sequence[Change]) -> Iterator[list[bytes]]:
    """The line of each, of a few at a time."""
    if isinstance(changes, SoundRows):
        row = b"=%b/%%b\t%%b\n" % changes.kind.encode()
        for some in row_text.stored(changes, ENCODED):
            yield [row % each for each in some]
        return
    for place in range(0, len(changes), ENCODED):
        yield _encode(changes[place : place + ENCODED])


def _encode(changes: Sequence[Change]) -> list[bytes]:
    """The line of each."""
    values = iter(row_text.values([change for change in changes if not isinstance(change, Gone)]))
    return [
        b"-%s\n" % b64encode(_bytes(key_of(change)))
        if isinstance(change, Gone)
        else b"=%s/%s\t%s\n" % (b"e" if isinstance(change, Rings) else b"p", change[0].encode(), next(values))
        for change in changes
    ]


def _bodies(texts: Iterable[bytes]) -> Iterator[bytes]:
    """All the lines, in as few bodies as can be."""
    rest = b""
    for text in texts:
        rest += text
        while len(rest) > MAX_BODY:
            end = rest.rindex(b"\n", 0, MAX_BODY) + 1
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _bytes(key: Key) -> bytes:
    """A key as it is stored; one that was found there and is not UTF-8 has surrogates in it."""
    return row_text.key(key).encode("utf-8", "surrogateescape")


def _key(stored: bytes) -> Key | None:
    """The key of a row of ours."""
    kind, slash, name = stored.decode("utf-8", "surrogateescape").partition("/")
    return (cast(Kind, kind), name) if slash and kind in {"e", "p"} else None


def _value(told: bytes) -> bytes | None:
    """A value that was told as `=` and base64; None for one that is too long to be told."""
    return _decoded(told[1:]) if told.startswith(b"=") else None


def _read_row(key: Key, value: bytes) -> Change | None:
    try:
        return row_text.change(key, value.decode())
    except UnicodeDecodeError:
        return None


def _decoded(told: bytes) -> bytes:
    try:
        return b64decode(told, validate=True)
    except NotBase64:
        raise ProtocolError("It told a row that cannot be read.") from None


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _number(told: bytes) -> int:
    if not (told.isdigit() and len(told) <= 12):
        raise ProtocolError("It did not answer with a number.")
    return int(told)
