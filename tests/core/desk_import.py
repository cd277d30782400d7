"""What the tests of importing and of exporting share: a small file of desks, and where such files are imported to."""

from __future__ import annotations

import io

import pytest

from roost.directory import Directory
from roost.directory.importing import ImportRefused, ImportReport, import_desks
from tests.world import World

DESKS = """\
organization,number,name,phone,node,allows_virtualization,account_code,mailbox,emergency_number,emergency_location
0001,001,"Doe, John",desk001,n1,yes,ACC-1,100@default,+40211,"Floor 1, room 2"
0001,002,Ted,desk002,n2,no,,,,
0001,003,Agent,,,,,,,
"""


class Desk:
    """Where files of desks are imported to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.directory = Directory(world.database)
        world.organization()
        world.organization("0002")
        world.node("n1")
        world.node("n2")

    def load(self, text: str | bytes, *, dry_run: bool = False, encoding: str = "utf-8-sig") -> ImportReport:
        file = io.BytesIO(text.encode() if isinstance(text, str) else text)
        return import_desks(self.world.database, file, dry_run=dry_run, encoding=encoding)

    def faults(self, text: str) -> list[tuple[int, str]]:
        before = (self.directory.extensions(), self.directory.phones())
        with pytest.raises(ImportRefused) as raised:
            self.load(text)
        assert (self.directory.extensions(), self.directory.phones()) == before
        return [(fault.line, fault.code) for fault in raised.value.faults]
