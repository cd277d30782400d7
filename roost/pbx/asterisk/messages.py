"""Mailboxes and message lamps of an Asterisk, and the phones that register there.

Facts, tried on Asterisk 22: `PJSIPNotify` asks for the class `system`, and reaches every contact of an endpoint in some milliseconds.
`VM_INFO` is empty where `app_voicemail` is not loaded; `exists` is 0 where there is no such mailbox.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from roost.errors import NodeRefused
from roost.pbx.ami.codec import fields_of, unnumbered
from roost.pbx.ami.session import ActionFailed, AmiSession
from roost.pbx.ami.variables import may_read, read_variables
from roost.pbx.asterisk.options import AsteriskOptions
from roost.pbx.messages import Waiting
from roost.pbx.node import ActsAs, NodeAddress

_MAILBOX = re.compile(r"[A-Za-z0-9._-]{1,64}@[A-Za-z0-9._-]{1,64}")
_PHONE = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: What the session of an AMI user without `read=` is not told after it logs in.
_READY: Final = b"Event: FullyBooted"
_CONTACT: Final = "ContactStatus"
_PROOF: Final = "SuccessfulAuth"
#: It comes right behind the answer to the login; seconds.
_READY_WITHIN: Final = 2.0


class AsteriskMessages:
    """A `roost.pbx.messages.Messages`."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session

    def keeper(self) -> str | None:
        """As ROOST_VOICEMAIL_NODE says there; without it the node itself, if it has voicemail."""
        with self._session.deadline():
            if not (self._session.may("PJSIPNotify") and may_read(self._session)):
                return None
            ours, keeper, probe = read_variables(
                self._session, ["ROOST_NODE", "ROOST_VOICEMAIL_NODE", "VM_INFO(0@roost,exists)"]
            )
        return keeper or (ours if probe else None)

    def registered_here(self, phones: Sequence[str]) -> list[str]:
        """Those of these phones that have a contact."""
        asked = [phone for phone in phones if _PHONE.fullmatch(phone)]
        with self._session.deadline():
            contacts = read_variables(self._session, [f"PJSIP_DIAL_CONTACTS({phone})" for phone in asked])
        return [phone for phone, found in zip(asked, contacts, strict=True) if found]

    def counts(self, rows: Sequence[ActsAs]) -> dict[str, Waiting]:
        """By phone."""
        boxes = [(row.phone, box) for row in rows if _MAILBOX.fullmatch(box := _mailbox(row))]
        asked = [f"VM_INFO({box},count,{folder})" for _, box in boxes for folder in ("INBOX", "Old")]
        with self._session.deadline():
            counts = [
                int(count) if count.isdecimal() else 0 for count in read_variables(self._session, asked)
            ]
        return {
            phone: Waiting(new, old)
            for (phone, _), new, old in zip(boxes, counts[::2], counts[1::2], strict=True)
        }

    def tell(self, lamps: Mapping[str, Waiting]) -> None:
        """An endpoint with no contact answers with an error, which says nothing new."""
        with self._session.deadline():
            self._session.ask_many(list(lamps.items()), _encode)


class AsteriskRegistrations:
    """A `roost.pbx.messages.Registrations`: who is registered now, then who registers, by events of AMI.

    `ContactStatus` tells of a contact that is new, or answers again; `SuccessfulAuth` of whoever proves who it is, also in a REGISTER that
    repeats a contact, as that of a phone that was switched off and on does, and in a call. Raises NodeRefused when this user may not hear
    them (`read=system,security`).
    """

    def __init__(self, address: NodeAddress, options: AsteriskOptions, deadline: float) -> None:
        self._session = AmiSession(address, options, deadline, events="system,security")
        try:
            if not any(event.startswith(_READY) for event in self._session.events(_READY_WITHIN)):
                raise NodeRefused(f"{address.host}:{address.port} tells this user no events.")
            with self._session.deadline():
                for event in (_CONTACT, _PROOF):
                    self._session.ask("Filter", {"Operation": "Add", "Filter": f"Event: {event}"})
                there = self._registered()
        except BaseException:
            self.close()
            raise
        # An ObjectName is the name of the AOR, ";@" and a digest of the contact.
        self._there = {fields_of(event).get("ObjectName", "").partition(";@")[0] for event in there}

    def wait(self, seconds: float) -> list[str]:
        """Phones, by the names of their endpoints, which are those of their AORs."""
        phones, self._there = self._there, set()
        if not phones:
            phones = {_phone(fields_of(event)) for event in self._session.events(seconds)}
        return sorted(phone for phone in phones if _PHONE.fullmatch(phone))

    def close(self) -> None:
        """Close the connection; never raises."""
        self._session.close()

    def _registered(self) -> list[bytes]:
        try:
            return self._session.ask_list("PJSIPShowContacts", {}, of="ContactList")
        except ActionFailed:
            return []  # there is none


def _phone(event: Mapping[str, str]) -> str:
    """Which phone is there; empty for an event that says no such thing."""
    if event.get("Event") == _PROOF:
        return event.get("AccountID", "") if event.get("Service") == "PJSIP" else ""
    return "" if event.get("ContactStatus") in {"Removed", "Unreachable"} else event.get("AOR", "")


def _mailbox(row: ActsAs) -> str:
    """A mailbox without a context is one of the organization, as the sample's voicemail has it."""
    return row.mailbox if "@" in row.mailbox else f"{row.mailbox}@{row.organization}"


def _encode(lamp: tuple[str, Waiting]) -> bytes:
    """RFC 3842."""
    phone, (new, old) = lamp
    variables = (
        "Event=message-summary,Content-Type=application/simple-message-summary,"
        f"Content=Messages-Waiting: {'yes' if new else 'no'},Content=Voice-Message: {new}/{old} (0/0)"
    )
    return unnumbered("PJSIPNotify", {"Endpoint": phone, "Variable": variables})
