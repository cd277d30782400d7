"""What no node can hold is refused where it is set, imported, and where a move would make it."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roost.database import query
from roost.diagnosis.database import check_directory
from roost.directory import Directory
from roost.directory.errors import TooLong
from roost.directory.importing import ImportRefused, import_desks
from roost.pbx import row_text
from roost.pbx.ami import astdb
from roost.pbx.ami.codec import Unsendable, action
from roost.pbx.node import ActsAs
from tests.cluster import wait_until
from tests.world import World

#: Each accepted alone: 256 bytes in four-byte characters, and 256 characters of which each takes three bytes on the wire.
NAME, MAILBOX, PLACE = "😀" * 64, "m" * 64, ", / " * 64

ROW_FITS = """
SELECT row_fits(%s, %s, %s, %s, %s, %s,
                jsonb_populate_record(NULL::phone, jsonb_build_object('emergency_number', %s::text,
                    'emergency_location', %s::text)))
"""


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003")
    return world


def refused(work: object, *arguments: object, **given: object) -> None:
    with pytest.raises(TooLong, match="shorten"):
        work(*arguments, **given)  # type: ignore[operator]  # a method of the directory


def make_too_long(office: World, statement: str, *values: object) -> None:
    """What 0.1.0 may have left."""
    with office.database.connection() as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(statement, values)


def test_the_schema_and_the_adapter_agree_on_what_fits(office: World) -> None:
    text = st.text(st.sampled_from("aZ9-._~ ,/@+%\"'\\`é漢😀"), max_size=64)

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        text, st.sampled_from(("", "a" * 32)), st.sampled_from(("", "m", "@" * 64)), st.sampled_from(("", "+" * 32)),
        st.one_of(text, st.integers(0, 256).map(lambda n: "," * n), st.integers(150, 256).map(lambda n: "x" * n)),
    )  # fmt: skip
    def agree(name: str, account: str, mailbox: str, number: str, place: str) -> None:
        shown = ActsAs(
            "desk", "0001", "001", name, account or "0001-001", mailbox or "001", "002", number, place
        )
        try:
            action(*astdb.action_fields(shown))
            fits = True
        except Unsendable:
            fits = False
        assert office.value(ROW_FITS, "0001", "001", name, account, mailbox, "002", number, place) is fits

    agree()


#: Each as long as it may be, and as long on the wire as it can be made so.
AT_THE_LIMIT = {
    "name": NAME, "account_code": "a" * 32, "mailbox": MAILBOX, "emergency_number": "+" * 32,
    "emergency_location": PLACE.strip(),
}  # fmt: skip
OF_THE_PHONE = ("emergency_number", "emergency_location")


def fits(row: dict[str, str]) -> bool:
    """Whether a node can be sent the row of desk001 with these fields."""
    filled = dict.fromkeys(AT_THE_LIMIT, "") | row
    shown = ActsAs(
        "desk001", "0001", "001", filled["name"], filled["account_code"] or "0001-001",
        filled["mailbox"] or "001", "001", filled["emergency_number"], filled["emergency_location"],
    )  # fmt: skip
    try:
        action(*astdb.action_fields(shown))
    except Unsendable:
        return False
    return True


@pytest.mark.parametrize("door", ["extension first", "phone first", "file"])
def test_each_field_at_its_limit_in_every_combination(office: World, door: str) -> None:
    """What a node could not be sent is refused, and nothing else is."""
    directory = Directory(office.database)
    for chosen in product([False, True], repeat=len(AT_THE_LIMIT)):
        row = {
            field: value
            for (field, value), wanted in zip(AT_THE_LIMIT.items(), chosen, strict=True)
            if wanted
        }
        directory.change_phone("desk001", emergency_number="", emergency_location="")
        directory.change_extension("0001*001", name="", account_code="", mailbox="")
        of_phone: dict[str, Any] = {field: value for field, value in row.items() if field in OF_THE_PHONE}
        of_person: dict[str, Any] = {
            field: value for field, value in row.items() if field not in OF_THE_PHONE
        }
        steps = [
            partial(directory.change_extension, "0001*001", **of_person),
            partial(directory.change_phone, "desk001", **of_phone),
        ]
        try:
            if door == "file":
                text = io.StringIO()
                csv.writer(text).writerows(
                    [["organization", "number", "phone", *row], ["0001", "001", "desk001", *row.values()]]
                )
                import_desks(office.database, io.BytesIO(text.getvalue().encode()))
            else:
                for step in steps if door == "extension first" else reversed(steps):
                    step()
            accepted = True
        except (TooLong, ImportRefused) as error:
            assert "shorten" in str(getattr(error, "faults", [error])[0])  # noqa: PT017 - of either
            accepted = False
        assert accepted is fits(row), sorted(row)
    assert fits(AT_THE_LIMIT) is False


@pytest.mark.parametrize("over", [0, 1])
def test_the_last_byte_that_fits(office: World, over: int) -> None:
    base = len(row_text.value(ActsAs("p", "0001", "001", "", "0001-001", "001", "001", "", "")))
    name = "x" * (1024 - len("Val: \r\n") - base + over)
    assert office.value(ROW_FITS, "0001", "001", name, "", "", "001", "", "") is (over == 0)


def test_it_is_refused_where_any_part_of_it_is_set(office: World) -> None:
    directory = Directory(office.database)
    directory.change_phone("desk001", emergency_location=PLACE)
    refused(directory.change_extension, "0001*001", name=NAME, mailbox=MAILBOX)
    directory.change_phone("desk001", emergency_location="")
    directory.change_extension("0001*001", name=NAME, mailbox=MAILBOX)
    refused(directory.change_phone, "desk001", emergency_location=PLACE)
    directory.change_phone("desk002", emergency_location=PLACE)
    directory.change_phone("desk001", base=None)
    directory.remove_phone("desk001")
    refused(
        directory.add_phone, "new", organization="0001", node="n1", base="0001*001", emergency_location=PLACE
    )
    assert directory.extension("0001*001").phone is None


def test_a_guest_counts_as_the_base_does(office: World) -> None:
    directory = Directory(office.database)
    directory.change_phone("desk002", emergency_location=PLACE)
    office.move("001", "desk002")
    refused(directory.change_extension, "0001*001", name=NAME, mailbox=MAILBOX)
    directory.change_phone("desk002", emergency_location="")
    directory.change_extension("0001*001", name=NAME, mailbox=MAILBOX)
    refused(directory.change_phone, "desk002", emergency_location=PLACE)


def test_a_move_that_would_make_it_moves_nobody(office: World) -> None:
    directory = Directory(office.database)
    directory.change_extension("0001*001", name=NAME, mailbox=MAILBOX)
    tried = office.attempt("desk002", "001", office.codes["0001", "001"])
    assert office.dial("desk002", "001").outcome == "code_needed"
    directory.change_phone("desk002", emergency_location=PLACE)
    assert office.verifying.verify(tried).outcome == "too_long"
    assert office.dial("desk002", "001").outcome == "too_long"
    assert office.move("001", "desk002").outcome == "too_long"
    with pytest.raises(Exception, match="phone desk002 with extension 001"):
        office.sql(
            "UPDATE phone SET guest_id = (SELECT id FROM extension WHERE number = '001'), guest_since = now()"
            " WHERE name = 'desk002'"
        )
    assert office.guests() == {}
    assert office.sit("003", "desk002").outcome == "virtualized"


def test_a_file_that_would_make_it_is_refused_by_line(office: World) -> None:
    def load(*lines: str) -> None:
        header = "organization,number,name,mailbox,phone,node,emergency_location\n"
        import_desks(office.database, io.BytesIO((header + "\n".join(lines)).encode()))

    with pytest.raises(ImportRefused) as raised:
        load("0001,004,Short,,desk004,n1,", f'0001,005,{NAME},{MAILBOX},desk005,n1,"{PLACE.strip()}"')
    assert [(fault.line, fault.code) for fault in raised.value.faults] == [(3, "too_long")]
    load(f'0001,001,,,desk001,,"{PLACE.strip()}"')
    with pytest.raises(ImportRefused):
        load(f"0001,001,{NAME},{MAILBOX},,,")
    office.move("003", "desk001")
    with pytest.raises(TooLong):
        load(f"0001,003,{NAME},{MAILBOX},,,")


def test_what_is_too_long_from_older_times_is_named_and_can_be_left_and_mended(office: World) -> None:
    directory = Directory(office.database)
    directory.change_phone("desk002", emergency_location=PLACE)
    office.move("001", "desk002")
    make_too_long(
        office, "UPDATE extension SET name = %s, mailbox = %s WHERE number IN ('001', '002')", NAME, MAILBOX
    )
    said = [
        finding.says
        for finding in check_directory(office.database, office.settings)
        if "no node can store" in finding.says
    ]
    assert said == ["Rows that no node can store: 2, such as desk002 with 0001*001, desk002 with 0001*002."]
    directory.change_phone("desk002", node="n1", enabled=True)
    directory.change_extension("0001*002", allows_virtualization=True)
    assert office.dial("desk002").outcome == "returned"
    directory.change_extension("0001*002", name="Short")
    assert office.sit("003", "desk002").outcome == "virtualized"


@pytest.mark.parametrize("first", ["extension", "phone", "import"])
def test_two_who_change_extension_and_phone_at_once_make_none_either(office: World, first: str) -> None:
    """The first has not committed yet when the second begins, and is not seen by it; so the second waits."""
    directory = Directory(office.database)
    office.move("001", "desk002")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def second() -> None:
        if first == "phone":
            directory.change_extension("0001*001", name=NAME, mailbox=MAILBOX)
        elif first == "extension":
            directory.change_phone("desk002", emergency_location=PLACE)
        else:
            desk = f'organization,number,phone,emergency_location\n0001,002,desk002,"{PLACE.strip()}"'
            import_desks(office.database, io.BytesIO(desk.encode()))

    with ThreadPoolExecutor(1) as another:
        with office.database.connection() as connection, connection.transaction():
            if first == "phone":
                connection.execute(query("lock_speakers"), {"name": "desk002", "base_id": None})
                connection.execute(
                    "UPDATE phone SET emergency_location = %s WHERE name = 'desk002'", (PLACE,)
                )
            else:
                connection.execute(
                    "UPDATE extension SET name = %s, mailbox = %s WHERE number = '001'", (NAME, MAILBOX)
                )
            came = another.submit(second)
            wait_until(lambda: office.value(waiting) == 1, "the second waits", 5)
        with pytest.raises(TooLong):
            came.result(10)


def test_many_phones_are_added_at_once_though_the_statistics_are_of_few(office: World) -> None:
    office.sql("ANALYZE")
    office.sql(
        "INSERT INTO extension (organization_id, number)"
        " SELECT id, (1000 + i)::text FROM organization, generate_series(1, 450) i"
    )
    office.sql(  # within the 15 s that the pool gives each statement
        "INSERT INTO phone (organization_id, name, node_id, base_id)"
        " SELECT e.organization_id, 'desk' || e.number, n.id, e.id FROM extension e, pbx_node n WHERE e.number > '1000'"
    )
    assert office.value("SELECT count(*) FROM phone") == 453


def test_a_move_between_short_texts_writes_no_row_out(office: World) -> None:
    with office.database.connection() as connection, connection.transaction():
        connection.execute("SET LOCAL track_functions = 'all'")
        connection.execute("SELECT check_move('r1', 'desk002', '001', NULL, NULL, 0)")
        connection.execute(
            "UPDATE phone SET guest_since = now(), guest_id = (SELECT id FROM extension WHERE number = '001')"
            " WHERE name = 'desk002'"
        )
        called = {name for (name,) in connection.execute("SELECT funcname FROM pg_stat_xact_user_functions")}
    assert called >= {"check_move", "rows_fit"}
    assert not called & {"check_rows_fit", "written_row_fits"}
