"""A node's table in AstDB, reached over AMI: rows and the cursor, in the family `roost`.

Facts, tried on Asterisk 22:

- `DBPut`, `DBGet`, `DBDel` and `DBGetTree` ask for the write class `system` alone.
- Acknowledged is not stored: AstDB commits about once a second, and a `kill -9` loses the rest, the cursor
  with it.
- `Getvar` of `DB(...)` answers success with an empty value, so the cursor is read with `DBGet`.
- `DBDel` answers a missing key and a failed database with the same error, so a second look tells which it
  was.
- `DBGetTree` matches as SQL LIKE does: case is ignored, `_` and `%` are wild. The keys are checked here
  again.
- AstDB is locked, for calls too, while a tree is searched and sent: of 200,000 keys 30 ms to find none, 3 ms for each
  thousand sent. `DBGet` finds one key by index, 40,000 a second in a pipeline.
- A tree can be asked for by the last character (`e/%7`), which cuts any numbering into even pieces; by the first ones
  whole organizations, or all of them, would be one piece.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, cast

from roost.errors import Invalid, NodeUnavailable
from roost.pbx import row_text
from roost.pbx.ami import astdb
from roost.pbx.ami.codec import fields_of, of_short_lines, unnumbered
from roost.pbx.ami.session import Action, ActionFailed, AmiSession, Failure
from roost.pbx.node import Change, Cursor, Gone, Key, Kind, RefusedRow, key_of
from roost.pbx.sound_rows import SoundRows
from roost.wording import count_of

#: Changes kept as they are sent: each is told to every node, and made ready once.
ENCODED = 4_096
#: Rows that may fail in one go and be thought at fault themselves; with more it is the node.
MOST_REFUSED = 100
#: With more keys than this the table is listed in pieces.
ONE_PAGE = 10_000
NOT_FOUND: Final = "Database entry not found"
#: What keys end with; `_` is wild, so a phone whose name ends with it is in no piece.
_ENDINGS: Final[dict[Kind, str]] = {"e": string.digits, "p": string.digits + string.ascii_lowercase + ".-"}
#: A value with a line break in it matches whole, so that it is found unreadable.
_ENTRY = re.compile(
    rb"Event: DBGetTreeResponse\r\nKey: /roost/([ep])/([^\r\n]*)\r\nVal: (.*)\r\nActionID: ", re.DOTALL
)
_VALUE = re.compile(rb"\r\nVal: (.*)\r\nActionID: ", re.DOTALL)


class Table:
    """The table of the node at the other end of a session. Call inside its deadline."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one."""
        try:
            events = self._session.ask_list(*_get(astdb.FAMILY, row_text.CURSOR_KEY))
        except ActionFailed as error:
            if error.message == NOT_FOUND:
                return None
            raise
        return Cursor.parse(fields_of(events[0]).get("Val", "")) if events else None

    def put_cursor(self, cursor: Cursor) -> None:
        """Write the cursor."""
        fields = {"Family": astdb.FAMILY, "Key": row_text.CURSOR_KEY, "Val": str(cursor)}
        self._session.ask("DBPut", fields)

    def unsendable(self, changes: Sequence[Change]) -> dict[Key, str]:
        """Which of these rows no AMI line can hold, and why."""
        found: dict[Key, str] = {}
        for change in changes:
            try:
                _encode(change)
            except Invalid as error:
                found[key_of(change)] = str(error)
        return found

    def write(self, changes: Sequence[Change]) -> list[RefusedRow]:
        """Write every change, in order. Refused are rows that no AMI line can hold, or that are answered with an error while others are not."""
        if isinstance(changes, SoundRows):
            failures = self._session.ask_many(astdb.unnumbered_puts(changes), of_short_lines)
        else:
            failures = self._session.ask_many(changes, _encoder(changes))
        return self.refused(changes, failures) if failures else []

    def actions(self, changes: Sequence[Change]) -> list[bytes]:
        """The actions that write these rows, for whoever sends them with others. Raises Invalid for one that cannot be sent."""
        return list(map(_encoder(changes), changes))

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        """The rows under these keys: None for one that cannot be read; what is not there is left out."""
        values = read_values(self._session, [(astdb.FAMILY, row_text.key(key)) for key in keys])
        return {
            key: _readable(key, stored)
            for key, stored in zip(keys, values, strict=True)
            if stored is not None
        }

    def keys(self, about: int) -> Iterator[list[Key]]:
        """All keys, a page at a time, each with a deadline of its own.

        In a large table, what Asterisk would never be asked for is left out: keys that end as no extension or phone does.
        """
        for kind, endings in _ENDINGS.items():
            for below in [kind] if about <= ONE_PAGE else [f"{kind}/%{ending}" for ending in endings]:
                with self._session.deadline():
                    entries = self._session.ask_list("DBGetTree", {"Family": astdb.FAMILY, "Key": below})
                yield [key for entry in entries if (key := _key_of(_ENTRY.match(entry)))]

    def dump(self) -> dict[Key, Change | None]:
        """All rows; None for one that cannot be read."""
        entries = self._session.ask_list("DBGetTree", {"Family": astdb.FAMILY})
        table: dict[Key, Change | None] = {}
        for message in entries:
            entry = _ENTRY.match(message)
            key = _key_of(entry)
            if entry is not None and key is not None:
                table[key] = _readable(key, entry[3])
        return table

    def refused(self, changes: Sequence[Change], failures: Sequence[Failure]) -> list[RefusedRow]:
        """The rows of these that failed; a key that is to be gone, and is, is none of them. Raises NodeUnavailable when they are many."""
        last = {key_of(change): change for change in changes}
        refused: dict[Key, str] = {}
        gone: list[Key] = []
        for failure in failures:
            change = changes[failure.position]
            key = key_of(change)
            if failure.sent and isinstance(change, Gone):
                if last[key] is change:
                    gone.append(key)
            elif last[key] is change:
                refused[key] = failure.message
        refused |= dict.fromkeys(self.read(gone), "It is there, and cannot be deleted.")
        errors = sum(failure.sent for failure in failures if key_of(changes[failure.position]) in refused)
        if errors > MOST_REFUSED:
            raise NodeUnavailable(
                f"It did not take {errors} of {count_of(len(changes), 'change')}: {next(iter(refused.values()))}"
            )
        return [RefusedRow(key, reason) for key, reason in refused.items()]


def read_values(session: AmiSession, places: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """What AstDB has under each family and key; None: nothing. Call inside a deadline. Raises NodeUnavailable."""
    values: list[bytes | None] = []
    answers = session.ask_lists("DBGet", places, _encode_get)
    for (family, key), answer in zip(places, answers, strict=True):
        if not isinstance(answer, str):
            stored = _VALUE.search(answer[0]) if answer else None
            values.append(stored[1] if stored else b"")
        elif answer == NOT_FOUND:
            values.append(None)
        else:
            raise NodeUnavailable(f"It does not tell {family}/{key}: {answer}.")
    return values


def health(session: AmiSession) -> str:
    """The Asterisk's version, in a short text. Call inside a deadline."""
    return f"Asterisk {session.ask('CoreSettings', {}).get('AsteriskVersion', 'of unknown version')}"


def _key_of(entry: re.Match[bytes] | None) -> Key | None:
    """The key of an entry of ours. One that is not UTF-8 has surrogates in it, so that Gone can remove it."""
    return (cast(Kind, entry[1].decode()), entry[2].decode("utf-8", "surrogateescape")) if entry else None


def _readable(key: Key, stored: bytes) -> Change | None:
    try:
        return row_text.change(key, stored.decode())
    except UnicodeDecodeError:
        return None


def _encoder(changes: Sequence[Change]) -> Callable[[Change], bytes]:
    # A full send would only push out what was kept.
    return _encode if len(changes) < ENCODED else _encode.__wrapped__


@lru_cache(maxsize=ENCODED)
def _encode(change: Change) -> bytes:
    return unnumbered(*astdb.action_fields(change))


def _encode_get(place: tuple[str, str]) -> bytes:
    return unnumbered(*_get(*place))


def _get(family: str, key: str) -> Action:
    return "DBGet", {"Family": family, "Key": key}
