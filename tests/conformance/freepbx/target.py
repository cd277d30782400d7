"""A real Asterisk with FreePBX's keys: many users and devices, more than a test names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from localcluster.asterisk import node_addresses
from localcluster.freepbx import Device, FreepbxBox, User
from roost.pbx.ami.session import ActionFailed
from roost.pbx.freepbx import KIND
from tests.conformance.asterisk.target import AmiTarget
from tests.conformance.targets import ServiceTarget, Target

#: It takes some 5,000 changes a second.
_LONG = 20_000
_DEVICES = [Device(f"desk-{number}", f"00{number}") for number in range(1, 4)]
_USERS = [User(f"00{number}", f"Person {number}") for number in range(1, 4)]


def _many() -> Iterator[tuple[str, str]]:
    """The users, in every length, and the devices that the tests name."""
    known = {user.number for user in _USERS}
    for digits in (3, 4, 5):
        for number in range(min(10**digits, _LONG)):
            if (user := f"{number:0{digits}}") not in known:
                yield f"/AMPUSER/{user}/cidnum", user
    names = [f"desk-{number}" for number in range(_LONG) if number not in {1, 2, 3}]
    names += [f"{number:05d}{end}" for number in range(300) for end in "0aZf.-9"] + ["x"]
    for name in names:
        yield f"/DEVICE/{name}/dial", f"PJSIP/{name}"


class Freepbx(AmiTarget, ServiceTarget):
    """The box; what a test leaves in FreePBX's keys is undone by what it leaves in Roost's."""

    kind = KIND
    product = "FreePBX "
    long_change = _LONG

    def __init__(self, folder: Path) -> None:
        (address,) = node_addresses("n1").values()
        self.service = FreepbxBox("n1", address, folder, users=_USERS, devices=_DEVICES, more=_many())
        self.address = self.service.control

    def wipe(self) -> None:
        super().wipe()
        with (
            contextlib.closing(self._session()) as session,
            session.deadline(),
            contextlib.suppress(ActionFailed),
        ):
            session.ask("DBDelTree", {"Family": "AMPUSER", "Key": "%/device"})


TARGETS: dict[str, type[Target]] = {"freepbx": Freepbx}
