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
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from roost.errors import NodeUnavailable
from roost.pbx.ami import astdb
from roost.pbx.ami.codec import fields_of, unnumbered
from roost.pbx.ami.session import Action, AmiSession, Failed, Failure
from roost.pbx.node import Change, Cursor, Gone, Key, Kind, NodeAddress, key_of

#: Changes kept as they are sent: each is told to every node, and made ready once.
ENCODED = 4_096
#: A value with a line break in it matches whole, so that it is found unreadable.
_ENTRY = re.compile(
    rb"Event: DBGetTreeResponse\r\nKey: /roost/([ep])/([^\r\n]*)\r\nVal: (.*)\r\nActionID: ", re.DOTALL
)
_NOT_FOUND = "Database entry not found"


class AsteriskNode:
    """A connection to one Asterisk; a `roost.pbx.node.PbxNode`."""

    def __init__(self, address: NodeAddress, deadline: float) -> None:
        self._session = AmiSession(address, deadline)

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one."""
        with self._session.deadline():
            try:
                events = self._session.ask_list(*_get(astdb.CURSOR_KEY))
            except Failed as error:
                if error.message == _NOT_FOUND:
                    return None
                raise
        return Cursor.parse(fields_of(events[0]).get("Val", "")) if events else None

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> None:
        """Write every change, in order; when all are acknowledged, write the cursor, if one is given.

        Raises Invalid, besides what every call raises, for a change that no AMI line can hold;
        then the changes before it are written, and the cursor is not.
        """
        with self._session.deadline():
            # A full send would only push out what was kept.
            encode = _encode if len(changes) < ENCODED else _encode.__wrapped__
            failures = self._session.ask_many(changes, encode)
            if failures:
                self._check_missing(changes, failures)
            if cursor is not None:
                self._session.ask(
                    "DBPut", {"Family": astdb.FAMILY, "Key": astdb.CURSOR_KEY, "Val": str(cursor)}
                )

    def dump(self) -> dict[Key, Change | None]:
        """All the node holds; None for a value that cannot be read.

        A key that is not UTF-8 has surrogates in it, so that Gone can remove it.
        """
        with self._session.deadline():
            entries = self._session.ask_list("DBGetTree", {"Family": astdb.FAMILY})
        table: dict[Key, Change | None] = {}
        for message in entries:
            entry = _ENTRY.match(message)
            if entry is None:
                continue
            key = (cast(Kind, entry[1].decode()), entry[2].decode("utf-8", "surrogateescape"))
            try:
                table[key] = astdb.change(key, entry[3].decode())
            except UnicodeDecodeError:
                table[key] = None
        return table

    def health(self) -> str:
        """The PBX's name and version, in a short text."""
        with self._session.deadline():
            settings = self._session.ask("CoreSettings", {})
        return f"Asterisk {settings.get('AsteriskVersion', 'of unknown version')}"

    def close(self) -> None:
        """Close the connection; never raises."""
        self._session.close()

    def _check_missing(self, changes: Sequence[Change], failures: Sequence[Failure]) -> None:
        """Raise NodeUnavailable unless every failure is the deletion of a key that is not there."""
        last = {key_of(change): change for change in changes}
        gone: list[str] = []
        for failure in failures:
            change = changes[failure.position]
            key = astdb.key(key_of(change))
            if not isinstance(change, Gone):
                raise NodeUnavailable(f"It did not take {key}: {failure.message}.")
            if isinstance(last[key_of(change)], Gone):
                gone.append(key)
        absent = self._session.ask_many(gone, _encode_get)
        if len(absent) < len(gone) or any(failure.message != _NOT_FOUND for failure in absent):
            raise NodeUnavailable("It did not delete what it holds.")


@lru_cache(maxsize=ENCODED)
def _encode(change: Change) -> bytes:
    return unnumbered(*astdb.action_fields(change))


def _encode_get(key: str) -> bytes:
    return unnumbered(*_get(key))


def _get(key: str) -> Action:
    return "DBGet", {"Family": astdb.FAMILY, "Key": key}
