"""Exporting desks: what is exported imports again unchanged, and a spreadsheet finds no formula in it."""

from __future__ import annotations

import csv
import io

import pytest

from roost.directory import exporting
from roost.directory.cells import FORMULA
from roost.directory.errors import UnknownOrganization
from roost.directory.exporting import export_desks
from roost.directory.import_file import COLUMNS
from tests.core.desk_import import DESKS, Desk
from tests.world import World


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


#: Names that a spreadsheet, a reader of CSV, or an import might change.
HOSTILE = (
    "=1+1", "+40211", "-2", "@SUM(A1)", "\uff1d1", "'Ann", "''=1", "'", "' ", " Ann ", "\u00a0Ann", "Ann\u3000", '"', '""Ann"", "x"',
    "a,b;c", "sep=;", "\ufeffAnn", "\u2028", "Zoë 👩‍👩‍👧", "=cmd|' /C calc'!A0", "true", "organization", ",,,,", "\u202eAnn",
)  # fmt: skip


def test_what_is_exported_imports_again_unchanged(desk: Desk) -> None:
    for number, name in enumerate(HOSTILE):
        key = f"0001*{number:03}"
        desk.directory.add_extension(key, name=name, allows_virtualization=number % 2 == 0)
        desk.directory.add_phone(
            f"-{number:03}",
            organization="0001",
            node="n1",
            base=key,
            emergency_number="+112",
            emergency_location=name,
        )
    desk.directory.add_extension("0002*1", account_code="-A", mailbox="@b")
    desk.directory.add_phone("spare", organization="0002", node="n2")
    text = "".join(export_desks(desk.world.database))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(FORMULA)]
    report = desk.load(text)
    assert (report.counts.desks, report.changes) == (len(HOSTILE) + 1, [])

    before = (desk.directory.extensions(), desk.directory.phones(organization="0001"))
    for code in ("0001", "0002"):
        desk.directory.remove_organization(code, with_everything=True)
        desk.world.organization(code)
    desk.load(text)
    assert (desk.directory.extensions(), desk.directory.phones()) == before

    of_one = "".join(export_desks(desk.world.database, "0002"))
    assert of_one.splitlines()[1:] == ["0002,1,,'-A,'@b,no,,,,"]
    with pytest.raises(UnknownOrganization):
        next(export_desks(desk.world.database, "0009"))


def test_an_organization_that_is_renamed_meanwhile_is_no_whole_export(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.load(DESKS)
    monkeypatch.setattr(exporting, "PART", 2)
    parts = export_desks(desk.world.database)
    assert [next(parts).count("\n") for _ in range(2)] == [1, 2]
    desk.directory.rename_organization("0001", "0009")
    with pytest.raises(UnknownOrganization, match="renamed or removed meanwhile"):
        list(parts)


def test_an_export_is_made_in_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.load(DESKS)
    whole = "".join(export_desks(desk.world.database))
    monkeypatch.setattr(exporting, "PART", 2)
    parts = list(export_desks(desk.world.database))
    assert [part.count("\n") for part in parts] == [1, 2, 1]
    assert "".join(parts) == whole
    assert parts[0].removeprefix("\ufeff").strip() == ",".join(COLUMNS)
