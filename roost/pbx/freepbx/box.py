"""What a FreePBX has set up: users and devices with their names and numbers, as AstDB tells them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from roost.pbx.ami.session import AmiSession
from roost.pbx.freepbx.own_keys import DEVICE, USER, read_field

#: `"Desk 4" <+15550104>`, or the number alone. Nothing in it is tried twice, however long the text is.
_CALLER = re.compile(r'\s*+(?:"?+([^"<]*+)"?+\s*+<([+0-9*#]*+)>|([+0-9*#]*+))\s*+')


@dataclass(frozen=True, slots=True)
class Box:
    """By user: `names`, and `rings`, the devices with `&` between. The rest is by device.

    `speaks`: the user now; `defaults`: the user it has by itself; `dials`: how it is reached; `emergency`: the name and number of its
    emergency calls.
    """

    names: dict[str, str]
    rings: dict[str, str]
    speaks: dict[str, str]
    defaults: dict[str, str]
    dials: dict[str, str]
    emergency: dict[str, tuple[str, str]]

    @property
    def devices(self) -> set[str]:
        """Every device."""
        return set(self.dials)

    @property
    def elsewhere(self) -> set[str]:
        """The devices that are phones of other nodes."""
        return {device for device, dial in self.dials.items() if "@" in dial}


def read_box(session: AmiSession) -> Box:
    """Read all of it. Call inside the session's deadline. It holds AstDB for a moment, 3 ms for each thousand keys."""
    callers = read_field(session, DEVICE, "emergency_cid")
    return Box(
        names=read_field(session, USER, "cidname"),
        rings=read_field(session, USER, "device"),
        speaks=read_field(session, DEVICE, "user"),
        defaults=read_field(session, DEVICE, "default_user"),
        dials=read_field(session, DEVICE, "dial"),
        emergency={device: caller_id(text) for device, text in callers.items()},
    )


def caller_id(text: str) -> tuple[str, str]:
    """Name and number of a caller ID as FreePBX keeps it; both empty when it is none."""
    found = _CALLER.fullmatch(text)
    return ((found[1] or "").strip(), found[2] or found[3] or "") if found else ("", "")
