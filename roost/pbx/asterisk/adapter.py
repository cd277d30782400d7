"""The adapter for Asterisk 18 to 22: the node's table in AstDB (`roost.pbx.ami.table`), and what follows from its rows.

The AMI user needs `write = system`; `reporting` for lamps, and `read = system,security` to hear which phones register.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roost.pbx.ami import table
from roost.pbx.ami.callbacks import Callbacks
from roost.pbx.ami.session import AmiSession
from roost.pbx.ami.table import Table
from roost.pbx.ami.variables import may_read, read_variables
from roost.pbx.asterisk.displays import refresh_displays
from roost.pbx.asterisk.lamps import Lamps
from roost.pbx.asterisk.messages import AsteriskMessages
from roost.pbx.asterisk.options import AsteriskOptions
from roost.pbx.node import Change, Cursor, Key, NodeAddress, PbxNode, RefusedRow


class AsteriskNode:
    """A connection to one Asterisk; a `roost.pbx.node.PbxNode`."""

    def __init__(self, address: NodeAddress, options: AsteriskOptions, deadline: float) -> None:
        self._session = AmiSession(address, options, deadline)
        self._table = Table(self._session)
        self._lamps = Lamps(self._session)
        self._callbacks = Callbacks(self._session)
        self._refresh = options.refresh_displays
        #: Its mailboxes and message lamps.
        self.messages = AsteriskMessages(self._session)

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one."""
        with self._session.deadline():
            return self._table.cursor()

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        """Write every change, in order; when all are acknowledged, write the cursor, if one is given.

        Refused are rows that no AMI line can hold, and rows that Asterisk answers with an error while it takes others.
        """
        with self._session.deadline():
            refused = self._table.write(changes)
        refused += self._lamps.follow(changes)
        with self._session.deadline():
            self._callbacks.follow(changes)
            if cursor is not None:
                self._table.put_cursor(cursor)
        if self._refresh:
            refresh_displays(self._session, changes)
        return refused

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        """What the node holds under these keys: None for a value that cannot be read; what it lacks is left out.

        A row whose lamp shows another phone, or that cannot be found by its emergency number, is as one that cannot be read: it is
        to be written again.
        """
        with self._session.deadline():
            rows = self._table.read(keys)
            astray = self._callbacks.astray(rows)
        return rows | dict.fromkeys(astray + self._lamps.astray(rows))

    def keys(self, about: int) -> Iterator[list[Key]]:
        """The keys the node holds, a page at a time, each at least once."""
        return self._table.keys(about)

    def dump(self) -> dict[Key, Change | None]:
        """All the node holds, at once; None for a value that cannot be read."""
        with self._session.deadline():
            return self._table.dump()

    def health(self) -> str:
        """The PBX's name and version, in a short text."""
        with self._session.deadline():
            return table.health(self._session)

    def variables(self, names: Sequence[str]) -> list[str] | None:
        """Global variables and functions of its dialplan, which are evaluated; None when this user may not ask."""
        with self._session.deadline():
            return read_variables(self._session, names) if may_read(self._session) else None

    def close(self) -> None:
        """Close the connection; never raises."""
        self._session.close()


def messages_of(node: PbxNode) -> AsteriskMessages:
    """Its mailboxes and message lamps."""
    assert isinstance(node, AsteriskNode)  # what `connect` of this kind returned
    return node.messages
