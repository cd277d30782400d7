"""Importing desks: again changes nothing, all or nothing, and each bad line has its message."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.directory.import_file import COLUMNS, BadFile, open_file
from roost.directory.importing import ImportRefused
from roost.directory.node_scope import set_scope
from tests.core.desk_import import DESKS, Desk
from tests.world import World


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_desks_are_imported_and_a_second_run_changes_nothing(desk: Desk) -> None:
    counts = desk.load(DESKS).counts
    assert (counts.desks, counts.extensions_added, counts.phones_added) == (3, 3, 2)
    john, phone = desk.directory.extension("0001*001"), desk.directory.phone("desk001")
    assert (john.name, john.allows_virtualization, john.account_code) == ("Doe, John", True, "ACC-1")
    assert (phone.base, phone.node, phone.emergency_number) == ("0001*001", "n1", "+40211")
    assert phone.emergency_location == "Floor 1, room 2"
    assert desk.directory.extension("0001*003").phone is None
    desk.world.sql("DELETE FROM route_dirty")
    assert desk.load(DESKS).counts.changes == 0
    assert desk.world.value("SELECT count(*) FROM route_dirty") == 0


def test_a_dry_run_shows_the_changes_and_makes_none(desk: Desk) -> None:
    desk.load(DESKS)
    report = desk.load(DESKS.replace("Ted", "Theodore").replace("desk002,n2", "desk002,n1"), dry_run=True)
    assert [
        (change.line, change.kind, change.key, change.added, change.fields) for change in report.changes
    ] == [
        (3, "extension", "0001*002", False, ["name: Ted → Theodore"]),
        (3, "phone", "desk002", False, ["node: n2 → n1"]),
    ]
    assert desk.directory.extension("0001*002").name == "Ted"


def test_an_empty_cell_and_a_missing_column_leave_what_is_there(desk: Desk) -> None:
    desk.load(DESKS)
    assert desk.load("organization,number,name\n0001,001,\n").counts.changes == 0
    assert desk.load("number,organization,name\n001,0001,Jane\n").counts.extensions_changed == 1
    assert desk.directory.extension("0001*001").account_code == "ACC-1"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("\ufeff" + DESKS.replace("\n", "\r\n"), "utf-8-sig"),
        (DESKS.replace("Doe, John", "Doé").replace("Floor 1, room 2", "x").replace(",", ";"), "utf-8-sig"),
        (DESKS.replace("Doe, John", "Doé").replace("Floor 1, room 2", "x").replace(",", ";"), "cp1252"),
        (DESKS.replace("Doe, John", "Doe").replace("Floor 1, room 2", "x").replace(",", "\t"), "utf-16"),
    ],
    ids=["bom-and-crlf", "semicolons", "windows", "excel-unicode-text"],
)
def test_what_spreadsheets_write_is_read(desk: Desk, text: str, encoding: str) -> None:
    written = text.encode("utf-8" if encoding == "utf-8-sig" else encoding)
    named = "utf-8-sig" if encoding == "utf-16" else encoding  # it says so itself
    assert desk.load(written, encoding=named).counts.extensions_added == 3
    assert desk.directory.extension("0001*001").name.startswith("Do")


@pytest.mark.parametrize("was_there", [False, True])
def test_each_column_reaches_the_table_that_it_belongs_to(desk: Desk, was_there: bool) -> None:  # noqa: FBT001
    names = {"organization": "0001", "number": "009", "phone": "desk009", "node": "n1"}
    given = {
        "name": "Ana", "account_code": "A-1", "mailbox": "1@x", "allows_virtualization": "yes", "emergency_number": "+40",
        "emergency_location": "Hall",
    }  # fmt: skip
    assert names.keys() | given.keys() == COLUMNS.keys()
    for cells in (names, names | given) if was_there else (names | given,):
        desk.load(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    extension, phone = desk.directory.extension("0001*009"), desk.directory.phone("desk009")
    assert (extension.name, extension.account_code, extension.mailbox) == ("Ana", "A-1", "1@x")
    assert extension.allows_virtualization
    assert (phone.emergency_number, phone.emergency_location) == ("+40", "Hall")


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;", "sep=|"])
def test_the_first_line_of_excel_names_what_parts_the_cells(desk: Desk, first: str) -> None:
    bar = "|" if "|" in first else ";"
    rows = "organization;number;name\r\n0001;001;Doe, John, jr, x\r\n".replace(";", bar)
    assert desk.load(f"\ufeff{first}\r\n{rows}").counts.extensions_added == 1
    assert desk.directory.extension("0001*001").name == "Doe, John, jr, x"
    assert desk.faults(f"{first}\n{rows}0001{bar}x{bar}\n") == [(4, "bad_value")]


def test_empty_columns_at_the_end_are_no_columns(desk: Desk) -> None:
    assert (
        desk.load("organization,number,name,,\n0001,001,Ann,,\n0001,002,Bob\n").counts.extensions_added == 2
    )
    assert desk.faults("organization,number,name,,\n0001,003,Cid,,x\n") == [(2, "bad_value")]
    with pytest.raises(BadFile, match="unknown: ''"):
        desk.load("organization,,number\n0001,,1\n")


def test_a_row_that_ends_early_leaves_what_is_there(desk: Desk) -> None:
    """As Excel writes one whose other cells are empty. One that lacks what a row must have is a fault."""
    desk.load("organization,number,name,account_code\n0001,001,Ann,A-1\n")
    assert (
        desk.load("organization,number,name,account_code\n0001,001\n0001,002,Bob\n").counts.extensions_added
        == 1
    )
    assert desk.directory.extension("0001*001").account_code == "A-1"
    assert desk.directory.extension("0001*001").name == "Ann"
    assert desk.faults("organization,number,name\n0001\n") == [(2, "bad_value")]


def test_two_desks_may_swap_their_phones(desk: Desk) -> None:
    desk.load(DESKS)
    desk.load("organization,number,phone\n0001,001,desk002\n0001,002,desk001\n")
    assert desk.directory.phone("desk001").base == "0001*002"
    assert desk.directory.phone("desk002").base == "0001*001"


def test_a_guest_goes_home_from_a_phone_that_gets_another_base(desk: Desk) -> None:
    desk.load(DESKS)
    desk.world.sql(
        "UPDATE phone SET guest_id = (SELECT id FROM extension WHERE number = '003'), guest_since = now() WHERE name = 'desk002'"
    )
    desk.load("organization,number,phone\n0001,004,desk002\n")
    assert desk.world.guests() == {}
    assert desk.world.journal()[-1][-1] == "phone_changed"


def test_each_bad_line_has_its_message_and_nothing_is_imported(desk: Desk) -> None:
    desk.load(DESKS)
    desk.directory.add_extension("0002*001")
    desk.directory.add_phone("other", organization="0002", node="n1", base="0002*001")
    text = """\
organization,number,name,phone,node,allows_virtualization,emergency_number
0001,010,fine,desk010,n1,yes,
0001,01x,bad number,,,,
00-01,010,bad organization,,,,
0009,011,unknown organization,,,,
0001,012,unknown node,desk012,n9,,
0001,010,twice,,,,
0001,013,phone twice,desk010,n1,,
0001,014,phone without a node,desk014,,,
0001,015,of another organization,other,n1,,
0001,001,has a phone,desk016,n1,,
0001,017,too,few
0001,018,maybe,,,maybe,
0001,,nothing,,,,
0001,019,no phone,,n1,,112

0001,020,"bell\x07",,,,
"""
    assert desk.faults(text) == [
        (3, "bad_value"),
        (4, "bad_value"),
        (5, "unknown_organization"),
        (6, "unknown_node"),
        (7, "duplicate"),
        (8, "duplicate"),
        (9, "bad_value"),
        (10, "other_organization"),
        (11, "extension_has_phone"),
        (12, "bad_value"),
        (13, "bad_value"),
        (14, "bad_value"),
        (15, "bad_value"),
        (15, "bad_value"),
        (17, "bad_value"),
    ]


def test_a_node_that_does_not_serve_the_organization_is_a_fault(desk: Desk) -> None:
    set_scope(desk.world.database, "n2", ["0002"])
    text = "organization,number,phone,node\n0001,001,desk001,n1\n0001,002,desk002,n2\n0002,001,desk003,n2\n"
    assert desk.faults(text) == [(3, "node_serves_organization")]


def test_a_cell_of_two_lines_does_not_shift_the_numbers(desk: Desk) -> None:
    assert desk.faults('organization,number,name\n0001,001,"two\nlines"\n0001,x,\n') == [
        (2, "bad_value"),
        (4, "bad_value"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "It is empty"),
        ("001,002\n", "name the columns"),
        ("organization,number,nmae\n0001,001,x\n", "'nmae'"),
        ("organization,name\n0001,x\n", "lacks the columns: number"),
        ("organization,number,number\n0001,1,1\n", "twice: number"),
        ("organization,number\n", "no desks"),
        ('organization,number\n0001,"00\n', "not CSV"),
        (b"organization,number,name\n0001,001,Jos\xe9\n", "It is not UTF-8 text: save it as `CSV UTF-8`"),
        ("organization,number,name\n0001,001," + "x" * 20_000, "a line of 10000 characters"),
    ],
)
def test_a_file_that_is_no_list_of_desks_is_refused(desk: Desk, text: str | bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        desk.load(text)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="Is a directory"), open_file(tmp_path):
        pass
    with pytest.raises(BadFile, match="No such file"), open_file(tmp_path / "none.csv"):
        pass


def test_what_a_spreadsheet_made_of_numbers_with_zeros_moves_no_phone(desk: Desk) -> None:
    """Opened and saved there, 0001 is 1 and 001 is 1: that is no other extension, which would get the phone of the first."""
    desk.directory.add_organization("9")
    desk.load("organization,number,phone,node\n0001,001,desk001,n1\n9,01,desk009,n1\n9,2,,\n")
    with pytest.raises(ImportRefused) as raised:
        desk.load("organization,number,phone,node\n1,1,desk002,n1\n9,1,desk009,n1\n9,2,,\n0001,12,,\n")
    assert [fault.message.partition(";")[0] for fault in raised.value.faults] == [
        "there is no organization 1, but 0001",
        "there is no 9*1, but 9*01",
    ]
    desk.directory.add_extension("9*1")
    assert desk.load("organization,number,name\n9,1,Ana\n9,01,Ion\n").counts.extensions_changed == 2


def test_ten_thousand_faults_are_listed_up_to_a_bound(desk: Desk) -> None:
    with pytest.raises(ImportRefused, match="at least 1000") as raised:
        desk.load("organization,number\n" + "0001,x\n" * 10_000)
    assert len(raised.value.faults) == 1000
