"""The adapter for Asterisk 18 to 22: the node's table in AstDB, reached over AMI.

The AMI user needs `write = system` and no `read`. Facts, tried on Asterisk 22:

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
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, cast

from roost.errors import NodeUnavailable
from roost.pbx import row_text
from roost.pbx.ami import astdb
from roost.pbx.ami.codec import fields_of, unnumbered
from roost.pbx.ami.session import Action, AmiSession, Failed, Failure
from roost.pbx.asterisk.callbacks import Callbacks
from roost.pbx.asterisk.lamps import Lamps
from roost.pbx.asterisk.notices import Notices
from roost.pbx.asterisk.options import AsteriskOptions
from roost.pbx.asterisk.variables import may_read, read_variables
from roost.pbx.node import Change, Cursor, Gone, Key, Kind, NodeAddress, RefusedRow, key_of

#: Changes kept as they are sent: each is told to every node, and made ready once.
ENCODED = 4_096
#: Rows that may fail in one go and be thought at fault themselves; with more it is the node.
MOST_REFUSED = 100
#: With more keys than this the table is listed in pieces.
ONE_PAGE = 10_000
#: What keys end with; `_` is wild, so a phone whose name ends with it is in no piece.
_ENDINGS: Final[dict[Kind, str]] = {"e": string.digits, "p": string.digits + string.ascii_lowercase + ".-"}
#: A value with a line break in it matches whole, so that it is found unreadable.
_ENTRY = re.compile(
    rb"Event: DBGetTreeResponse\r\nKey: /roost/([ep])/([^\r\n]*)\r\nVal: (.*)\r\nActionID: ", re.DOTALL
)
_VALUE = re.compile(rb"\r\nVal: (.*)\r\nActionID: ", re.DOTALL)
_NOT_FOUND = "Database entry not found"


class AsteriskNode:
    """A connection to one Asterisk; a `roost.pbx.node.PbxNode`."""

    def __init__(self, address: NodeAddress, options: AsteriskOptions, deadline: float) -> None:
        self._session = AmiSession(address, options, deadline)
        self._lamps = Lamps(self._session)
        self._callbacks = Callbacks(self._session)
        self._notices = Notices(self._session, refresh=options.refresh_displays)

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one."""
        with self._session.deadline():
            try:
                events = self._session.ask_list(*_get(row_text.CURSOR_KEY))
            except Failed as error:
                if error.message == _NOT_FOUND:
                    return None
                raise
        return Cursor.parse(fields_of(events[0]).get("Val", "")) if events else None

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        """Write every change, in order; when all are acknowledged, write the cursor, if one is given.

        Refused are rows that no AMI line can hold, and rows that Asterisk answers with an error while it takes others.
        """
        with self._session.deadline():
            # A full send would only push out what was kept.
            encode = _encode if len(changes) < ENCODED else _encode.__wrapped__
            failures = self._session.ask_many(changes, encode)
            refused = self._refused(changes, failures) if failures else []
        refused += self._lamps.follow(changes)
        with self._session.deadline():
            self._callbacks.follow(changes)
            if cursor is not None:
                self._session.ask(
                    "DBPut", {"Family": astdb.FAMILY, "Key": row_text.CURSOR_KEY, "Val": str(cursor)}
                )
        self._notices.tell(changes)
        return refused

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        """What the node holds under these keys: None for a value that cannot be read; what it lacks is left out.

        A row whose lamp shows another phone, or that cannot be found by its emergency number, is as one that cannot be read: it is
        to be written again.
        """
        with self._session.deadline():
            rows = self._read(keys)
            astray = self._callbacks.astray(rows)
        return rows | dict.fromkeys(astray + self._lamps.astray(rows))

    def keys(self, about: int) -> Iterator[list[Key]]:
        """The keys the node holds, a page at a time, each at least once.

        In a large table, what Asterisk would never be asked for is left out: keys that end as no extension or phone does.
        """
        for kind, endings in _ENDINGS.items():
            for below in [kind] if about <= ONE_PAGE else [f"{kind}/%{ending}" for ending in endings]:
                with self._session.deadline():
                    entries = self._session.ask_list("DBGetTree", {"Family": astdb.FAMILY, "Key": below})
                yield [key for entry in entries if (key := _key_of(_ENTRY.match(entry)))]

    def dump(self) -> dict[Key, Change | None]:
        """All the node holds, at once; None for a value that cannot be read."""
        with self._session.deadline():
            entries = self._session.ask_list("DBGetTree", {"Family": astdb.FAMILY})
        table: dict[Key, Change | None] = {}
        for message in entries:
            entry = _ENTRY.match(message)
            key = _key_of(entry)
            if entry is not None and key is not None:
                table[key] = _readable(key, entry[3])
        return table

    def health(self) -> str:
        """The PBX's name and version, in a short text."""
        with self._session.deadline():
            settings = self._session.ask("CoreSettings", {})
        return f"Asterisk {settings.get('AsteriskVersion', 'of unknown version')}"

    def variables(self, names: Sequence[str]) -> list[str] | None:
        """Global variables and functions of its dialplan, which are evaluated; None when this user may not ask."""
        with self._session.deadline():
            return read_variables(self._session, names) if may_read(self._session) else None

    def close(self) -> None:
        """Close the connection; never raises."""
        self._session.close()

    def _read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        answers = self._session.ask_lists("DBGet", [row_text.key(key) for key in keys], _encode_get)
        table: dict[Key, Change | None] = {}
        for key, answer in zip(keys, answers, strict=True):
            if isinstance(answer, str):
                if answer != _NOT_FOUND:
                    raise NodeUnavailable(f"It does not tell {row_text.key(key)}: {answer}.")
            else:
                stored = _VALUE.search(answer[0]) if answer else None
                table[key] = _readable(key, stored[1]) if stored else None
        return table

    def _refused(self, changes: Sequence[Change], failures: Sequence[Failure]) -> list[RefusedRow]:
        """The rows that failed; a key that is to be gone, and is, is none of them. Raises NodeUnavailable when they are many."""
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
        refused |= dict.fromkeys(self._read(gone), "It is there, and cannot be deleted.")
        errors = sum(failure.sent for failure in failures if key_of(changes[failure.position]) in refused)
        if errors > MOST_REFUSED:
            raise NodeUnavailable(
                f"It did not take {errors} of {len(changes)} changes: {next(iter(refused.values()))}"
            )
        return [RefusedRow(key, reason) for key, reason in refused.items()]


def _key_of(entry: re.Match[bytes] | None) -> Key | None:
    """The key of an entry of ours. One that is not UTF-8 has surrogates in it, so that Gone can remove it."""
    return (cast(Kind, entry[1].decode()), entry[2].decode("utf-8", "surrogateescape")) if entry else None


def _readable(key: Key, stored: bytes) -> Change | None:
    try:
        return row_text.change(key, stored.decode())
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=ENCODED)
def _encode(change: Change) -> bytes:
    return unnumbered(*astdb.action_fields(change))


def _encode_get(key: str) -> bytes:
    return unnumbered(*_get(key))


def _get(key: str) -> Action:
    return "DBGet", {"Family": astdb.FAMILY, "Key": key}
