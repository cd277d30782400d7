"""What the phones of a node are told when somebody sits down or leaves: the message lamp, and to refresh the display.

Facts, tried on Asterisk 22: `PJSIPNotify` asks for the class `system`, and reaches every contact of an endpoint in some milliseconds; an
endpoint of another node is an error. `VM_INFO` is empty where `app_voicemail` is not loaded; `exists` is 0 where there is no such mailbox.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.session import AmiSession
from roost.pbx.ami.variables import may_read, read_variables
from roost.pbx.node import ActsAs, Change

#: Phones that are told of one batch of changes; more are an import or a full send, and no move.
MOST: Final = 256
_MAILBOX = re.compile(r"[A-Za-z0-9._-]{1,64}@[A-Za-z0-9._-]{1,64}")
_REFRESH: Final = "Event=check-sync;reboot=false"


class Notices:
    """The phones of the node at the other end of a session. A phone that is not this node's is told nothing.

    `refresh`: tell phones to ask their provisioning server again, unless they are in a call.
    """

    def __init__(self, session: AmiSession, *, refresh: bool) -> None:
        self._session = session
        self._refresh = refresh
        self._knows_mailboxes: bool | None = None

    def tell(self, changes: Sequence[Change]) -> None:
        """Tell each phone whose row this is."""
        phones = list({change.phone: change for change in changes if isinstance(change, ActsAs)}.values())
        if not phones or len(phones) > MOST:
            return
        with self._session.deadline():
            if not (self._session.may("PJSIPNotify") and may_read(self._session)):
                return
            notices = self._lamps(phones) + (self._displays(phones) if self._refresh else [])
            self._session.ask_many(notices, _encode)  # one that fails is for a phone of another node

    def _lamps(self, phones: Sequence[ActsAs]) -> list[tuple[str, str]]:
        if self._knows_mailboxes is None:
            ours, keeper, probe = read_variables(
                self._session, ["ROOST_NODE", "ROOST_VOICEMAIL_NODE", "VM_INFO(0@roost,exists)"]
            )
            self._knows_mailboxes = probe != "" and keeper in {"", ours}
        if not self._knows_mailboxes:
            return []
        boxes = [(phone.phone, box) for phone in phones if _MAILBOX.fullmatch(box := _mailbox(phone))]
        asked = [f"VM_INFO({box},count,{folder})" for _, box in boxes for folder in ("INBOX", "Old")]
        counts = [int(count) if count.isdecimal() else 0 for count in read_variables(self._session, asked)]
        return [
            (phone, _lamp(new, old))
            for (phone, _), new, old in zip(boxes, counts[::2], counts[1::2], strict=True)
        ]

    def _displays(self, phones: Sequence[ActsAs]) -> list[tuple[str, str]]:
        states = read_variables(self._session, [f"DEVICE_STATE(PJSIP/{phone.phone})" for phone in phones])
        return [
            (phone.phone, _REFRESH)
            for phone, state in zip(phones, states, strict=True)
            if state == "NOT_INUSE"
        ]


def _mailbox(phone: ActsAs) -> str:
    """A mailbox without a context is one of the organization, as the sample's voicemail has it."""
    return phone.mailbox if "@" in phone.mailbox else f"{phone.mailbox}@{phone.organization}"


def _lamp(new: int, old: int) -> str:
    """RFC 3842."""
    waiting = "yes" if new else "no"
    return (
        "Event=message-summary,Content-Type=application/simple-message-summary,"
        f"Content=Messages-Waiting: {waiting},Content=Voice-Message: {new}/{old} (0/0)"
    )


def _encode(notice: tuple[str, str]) -> bytes:
    phone, variables = notice
    return unnumbered("PJSIPNotify", {"Endpoint": phone, "Variable": variables})
