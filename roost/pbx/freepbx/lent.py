"""Users who were lent to a phone for an emergency call, and are there still because Asterisk died in it.

Where every user of a phone was deleted, the include (`freepbx/roost_freepbx.conf`) lends it any one while it calls, and notes that in
`roost-lent/<phone>` = `<who spoke there before>/<who was lent>`. The end of the call gives the user back and takes the note away.
"""

from __future__ import annotations

import re

from roost.errors import NodeUnavailable
from roost.pbx.ami.session import ActionFailed, AmiSession
from roost.pbx.ami.table import NOT_FOUND, Table, read_values
from roost.pbx.ami.variables import may_read, read_variables
from roost.pbx.freepbx.own_keys import OwnKey, OwnKeys, speaks
from roost.pbx.node import ActsAs

_FAMILY = "roost-lent"
_NOTE = re.compile(rb"Event: DBGetTreeResponse\r\nKey: /roost-lent/([0-9]+)\r\nVal: ([0-9a-z]*)/([0-9]+)\r\n")


def give_back(session: AmiSession, table: Table, own: OwnKeys) -> None:
    """End every loan of a phone that is in no call. Call inside the session's deadline.

    Whoever speaks there by now for another reason stays. Without the class `reporting` nobody can see who is in a call, and nothing is done.
    """
    notes = _notes(session)
    if not notes or not may_read(session):
        return
    calls = read_variables(session, [f"CHANNELS(^PJSIP/{phone}-)" for phone in notes])
    idle = [phone for phone, call in zip(notes, calls, strict=True) if not call]
    now = read_values(session, [speaks(phone, "")[:2] for phone in idle])
    rows = table.read([("p", phone) for phone in idle])
    wanted: list[OwnKey] = []
    for phone, user in zip(idle, now, strict=True):
        before, lent = notes[phone]
        row = rows.get(("p", phone))
        if (user or b"").decode(errors="replace") == lent and not (
            isinstance(row, ActsAs) and row.number == lent
        ):
            wanted.append(speaks(phone, before)._replace(value=before or None))
        wanted.append(OwnKey(_FAMILY, phone, None))
    if refused := own.write(wanted):
        raise NodeUnavailable(next(iter(refused.values())))


def _notes(session: AmiSession) -> dict[str, tuple[str, str]]:
    """Who spoke at each phone before, and who was lent to it."""
    try:
        entries = session.ask_list("DBGetTree", {"Family": _FAMILY})
    except ActionFailed as error:
        if error.message == NOT_FOUND:
            return {}
        raise
    found = (_NOTE.match(entry) for entry in entries)
    return {note[1].decode(): (note[2].decode(), note[3].decode()) for note in found if note}
