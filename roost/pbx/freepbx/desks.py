"""The desks that a FreePBX has already: users with the device that is theirs, the name, and the emergency caller ID.

Read by what it has set up, not by who sits where now: `default_user`, never the list of devices where a user rings.
"""

from __future__ import annotations

from collections.abc import Iterator

from roost.pbx.freepbx.adapter import FreepbxNode
from roost.pbx.freepbx.box import Box
from roost.pbx.freepbx.own_keys import NOBODY
from roost.pbx.node import FoundDesk, PbxNode

#: What stands for bytes that are no text (`own_keys.read_field`).
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def found_desks(node: PbxNode) -> Iterator[FoundDesk]:
    """Each desk, and what cannot be one with what to do. Phones of other nodes are left to those."""
    assert isinstance(node, FreepbxNode)  # what this kind's `connect` returns
    return _desks(node.box())


def _desks(box: Box) -> Iterator[FoundDesk]:
    elsewhere = box.elsewhere
    of_user: dict[str, list[str]] = {}
    for device in box.dials:
        user = box.defaults.get(device, "")
        if user in NOBODY and device not in elsewhere:
            yield FoundDesk(
                device,
                fault=f"The device {device} has no user of its own: make it fixed, with a default user.",
            )
        elif user not in NOBODY:
            of_user.setdefault(user, []).append(device)
    for user, name in box.names.items():
        devices = of_user.get(user, [])
        if not devices:
            yield FoundDesk(
                user, fault=f"The user {user} has no device: give it one, or add it with roost extension add."
            )
        elif len(devices) > 1:
            yield FoundDesk(
                user, fault=f"The user {user} has the devices {', '.join(devices)}: leave it one."
            )
        elif box.dials[devices[0]] != f"PJSIP/{devices[0]}" and devices[0] not in elsewhere:
            yield FoundDesk(
                user,
                fault=f"The device {devices[0]} does not dial PJSIP/{devices[0]}: only such a phone can be moved to.",
            )
        elif devices[0] not in elsewhere:
            location, number = box.emergency.get(devices[0], ("", ""))
            if _UNREADABLE in name + location:
                yield FoundDesk(
                    user,
                    fault=f"The name of the user {user}, or of the device {devices[0]} in emergency calls, is not in UTF-8: save it there again.",
                )
            else:
                yield FoundDesk(user, name, devices[0], number, location)
