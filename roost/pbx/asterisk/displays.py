"""What the phones of a node are told when somebody sits down or leaves: to refresh the display, unless they are in a call.

Facts, tried on Asterisk 22: `PJSIPNotify` asks for the class `system`, and reaches every contact of an endpoint in some milliseconds; an
endpoint of another node is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.session import AmiSession
from roost.pbx.ami.variables import may_read, read_variables
from roost.pbx.node import ActsAs, Change

#: Phones that are told of one batch of changes; more are an import or a full send, and no move.
MOST: Final = 256
_REFRESH: Final = "Event=check-sync;reboot=false"


def refresh_displays(session: AmiSession, changes: Sequence[Change]) -> None:
    """Tell each phone whose row this is to ask its provisioning server again. A phone that is not this node's is told nothing."""
    phones = sorted({change.phone for change in changes if isinstance(change, ActsAs)})
    if not phones or len(phones) > MOST:
        return
    with session.deadline():
        if not (session.may("PJSIPNotify") and may_read(session)):
            return
        states = read_variables(session, [f"DEVICE_STATE(PJSIP/{phone})" for phone in phones])
        idle = [phone for phone, state in zip(phones, states, strict=True) if state == "NOT_INUSE"]
        session.ask_many(idle, _encode)  # one that fails has lost its registration


def _encode(phone: str) -> bytes:
    return unnumbered("PJSIPNotify", {"Endpoint": phone, "Variable": _REFRESH})
