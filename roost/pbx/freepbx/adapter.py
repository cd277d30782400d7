"""The adapter for FreePBX: its generated dialplan is left alone, and routes by FreePBX's own keys (`own_keys`).

What Roost wants stands beside them, in the family `roost`, with the cursor, as on a plain Asterisk: FreePBX never touches that, so what
it rewrites of its own keys shows as a difference. They are sent together, first its keys, then the lamps, then Roost's rows, and Asterisk
does one after the other: whoever dies in between has written no row without its key. Should a key not be taken while the row is, the row
is reported as refused, and reads as one that differs: audits try it again. The cursor is sent when all of them are answered.

The AMI user needs `write = system`, and `reporting` for lamps that FreePBX put back to be noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from roost.pbx.ami import table
from roost.pbx.ami.callbacks import Callbacks, entries
from roost.pbx.ami.session import ActionFailed, AmiSession, Failure
from roost.pbx.ami.table import Table
from roost.pbx.ami.variables import may_read, read_variables
from roost.pbx.freepbx.box import Box, read_box
from roost.pbx.freepbx.kept_list import KeptList
from roost.pbx.freepbx.lamps import Lamps, places_of
from roost.pbx.freepbx.lent import give_back
from roost.pbx.freepbx.options import FreepbxOptions
from roost.pbx.freepbx.own_keys import OwnKey, OwnKeys, encode, number_of, own_key
from roost.pbx.freepbx.releasing import released
from roost.pbx.node import ActsAs, Change, Cursor, Gone, Key, NodeAddress, RefusedRow, Rings, key_of

#: Keys in a page of those that were listed for an audit.
PAGE = 500


class FreepbxNode:
    """A connection to one FreePBX; a `roost.pbx.node.PbxNode`."""

    def __init__(self, address: NodeAddress, options: FreepbxOptions, deadline: float) -> None:
        self._session = AmiSession(address, options, deadline)
        self._table = Table(self._session)
        self._kept_list = KeptList(self._table.dump)
        self._own = OwnKeys(self._session)
        self._lamps = Lamps(self._session)
        self._callbacks = Callbacks(self._session)
        self._called_back = KeptList(partial(entries, self._session))

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one."""
        with self._session.deadline():
            return self._table.cursor()

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        """Write every change; when all are acknowledged, write the cursor, if one is given.

        Refused, with nothing of them written, are rows that no AMI line can hold, and those of users and devices that FreePBX does not know.
        """
        final = {key_of(change): change for change in changes}
        refused = self._apply(list(final.values()), final) if final else []
        if cursor is not None:
            with self._session.deadline():
                self._table.put_cursor(cursor)
        return refused

    def _apply(self, rows: Sequence[Change], final: Mapping[Key, Change]) -> list[RefusedRow]:
        asked = self._lamps.variables(places_of(rows))
        with self._session.deadline():
            faults = self._table.unsendable(rows)
            sendable = [row for row in rows if key_of(row) not in faults]
            unknown, shown = self._own.faults(sendable, list(asked.values()))
            faults |= unknown
            sound = [row for row in rows if key_of(row) not in faults]
            gone = [row for row in sound if isinstance(row, Gone)]
            freed, places = released(self._table, self._own, gone, final) if gone else ([], {})
        if freed:
            faults |= self._free(freed)
            sound = [row for row in sound if key_of(row) not in faults]
        places |= places_of(sound)
        lamps = self._lamps.actions(places, dict(zip(asked, shown, strict=True)))
        self._kept_list.forget()
        self._called_back.forget()
        faults |= self._write(lamps, sound)
        with self._session.deadline():
            self._callbacks.follow(sound)
        return [RefusedRow(*fault) for fault in faults.items()]

    def _free(self, freed: Sequence[tuple[Key, OwnKey]]) -> dict[Key, str]:
        """Write FreePBX's keys for rows that are gone; those of which one was refused, and why.

        First, and by themselves: once such a row is gone, nothing would try its keys again.
        """
        keys = [key for _, key in freed]
        failures = self._session.ask_in_turns(keys, encode)
        with self._session.deadline():
            return {freed[place][0]: why for place, why in self._own.refused(keys, failures).items()}

    def _write(self, lamps: Mapping[str, bytes], rows: Sequence[Change]) -> dict[Key, str]:
        """Write FreePBX's keys, the lamps and the rows in this order, in one breath; the rows of which something was refused, and why.

        A row of which the key was refused is as one that differs from it, so audits try it again.
        """
        speaking = [row for row in rows if isinstance(row, Rings | ActsAs)]
        keys = list(map(own_key, speaking))
        actions = [*map(encode, keys), *lamps.values(), *self._table.actions(rows)]
        failures = self._session.ask_in_turns(actions, bytes)

        def failed(first: int, count: int) -> list[Failure]:
            return [
                each._replace(position=each.position - first)
                for each in failures
                if first <= each.position < first + count
            ]

        users = list(lamps)
        dark = {users[each.position]: each.message for each in failed(len(keys), len(lamps))}
        faults = {
            key_of(row): f"Its lamp: {dark[number_of(row.extension)]}."
            for row in rows
            if isinstance(row, Rings) and number_of(row.extension) in dark
        }
        with self._session.deadline():
            not_taken = self._own.refused(keys, failed(0, len(keys)))
            refused = self._table.refused(rows, failed(len(keys) + len(lamps), len(rows)))
        faults |= {key_of(speaking[place]): why for place, why in not_taken.items()}
        return faults | dict(refused)

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        """What the node holds under these keys, of many as it was lately: None for a value that cannot be read; what it lacks is left out.

        A row by which FreePBX's own keys do not go, or the lamp, is as one that cannot be read: it is to be written again.
        """
        with self._session.deadline():
            listed = self._kept_list.of(len(keys))
            rows = (
                self._table.read(keys)
                if listed is None
                else {key: listed[key] for key in keys if key in listed}
            )
            astray = self._own.astray(rows) + self._callbacks.astray(rows, self._called_back.of)
            away = self._own.away(rows)  # a reload puts back the lamps of those at home as they are
        return rows | dict.fromkeys(astray + self._lamps.astray(away))

    def keys(self, about: int) -> Iterator[list[Key]]:
        """The keys the node holds, of many as they were lately, a page at a time, each at least once."""
        with self._session.deadline():
            # Here, for an audit asks for the keys once.
            give_back(self._session, self._table, self._own)
            listed = self._kept_list.of(about)
        if listed is None:
            yield from self._table.keys(about)
            return
        # To ask for them in pieces would search all of AstDB for each, FreePBX's keys among it.
        found = list(listed)
        for place in range(0, len(found), PAGE):
            yield found[place : place + PAGE]

    def dump(self) -> dict[Key, Change | None]:
        """All the node holds, at once; None for a value that cannot be read, and where FreePBX's own keys differ."""
        with self._session.deadline():
            rows = self._table.dump()
            return rows | dict.fromkeys(self._own.astray(rows))

    def health(self) -> str:
        """The PBX's name and version, in a short text."""
        with self._session.deadline():
            return f"FreePBX on {table.health(self._session)}"

    def variables(self, names: Sequence[str]) -> list[str] | None:
        """Global variables and functions of its dialplan, which are evaluated; None when this user may not ask."""
        with self._session.deadline():
            return read_variables(self._session, names) if may_read(self._session) else None

    def has_loaded(self, module: str) -> bool:
        """Whether a module of Asterisk is loaded."""
        with self._session.deadline():
            try:
                self._session.ask("ModuleCheck", {"Module": module})
            except ActionFailed:
                return False
        return True

    def box(self) -> Box:
        """What FreePBX has set up."""
        with self._session.deadline():
            return read_box(self._session)

    def close(self) -> None:
        """Close the connection; never raises."""
        self._session.close()
