"""What others change while an import goes on: its report says what was written, and nothing that was not."""

from __future__ import annotations

import io
from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors as pg

from roost.directory.importing import ImportRefused, ImportReport, import_desks
from tests.core.desk_import import DESKS, Desk
from tests.world import World

#: The first of what an import says that it does, after it was compared with what is there.
AFTER_COMPARING = "locking extensions"


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def load_while(desk: Desk, said: str, do: Callable[[], object], text: str = DESKS) -> ImportReport:
    """Import the desks, and do something once, when the import says that it does this."""
    left = [do]

    def tell(what: str, _done: int, _total: int | None) -> None:
        if what == said and left:
            left.pop()()

    return import_desks(desk.world.database, io.BytesIO(text.encode()), tell=tell)


def written(desk: Desk) -> object:
    """How many extensions and phones there are."""
    return desk.world.rows("SELECT (SELECT count(*) FROM extension), (SELECT count(*) FROM phone)")


def by_psql(desk: Desk, statement: str) -> bool:
    """Whether nobody held what it changes."""
    with psycopg.connect(desk.world.settings.need("database_url")) as connection:
        connection.execute("SET lock_timeout = '50ms'")
        try:
            connection.execute(statement)
        except pg.LockNotAvailable:
            return False
    return True


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE organization SET code = 'acme' WHERE code = '0001'",
        "DELETE FROM organization WHERE code = '0001'",
        "UPDATE pbx_node SET name = 'n9' WHERE name = 'n2'",
        "DELETE FROM pbx_node WHERE name = 'n2'",
    ],
)
@pytest.mark.parametrize("said", ["comparing desks", AFTER_COMPARING])
def test_what_the_lines_name_keeps_its_name_until_they_are_written(
    desk: Desk, said: str, statement: str
) -> None:
    done: list[bool] = []
    counts = load_while(desk, said, lambda: done.append(by_psql(desk, statement))).counts
    assert (counts.extensions_added, counts.phones_added) == (3, 2)
    assert written(desk) == [(3, 2)]
    assert done == [False]


@pytest.mark.parametrize(
    ("removal", "added"),
    [("DELETE FROM extension WHERE number = '003'", (1, 0)), ("DELETE FROM phone WHERE name = 'desk002'", (0, 1))],
)  # fmt: skip
def test_what_is_removed_after_it_was_compared_is_compared_anew(
    desk: Desk, removal: str, added: tuple[int, int]
) -> None:
    desk.load(DESKS)
    text = DESKS.replace("Agent", "Spy").replace("desk002,n2", "desk002,n1")
    counts = load_while(desk, AFTER_COMPARING, lambda: by_psql(desk, removal), text).counts
    assert (counts.extensions_added, counts.phones_added) == added
    assert counts.changes == 2
    assert written(desk) == [(3, 2)]
    assert desk.directory.extension("0001*003").name == "Spy"


def test_who_imports_the_same_new_desks_second_has_nothing_to_add(desk: Desk) -> None:
    assert load_while(desk, AFTER_COMPARING, lambda: desk.load(DESKS)).counts.changes == 0


def test_an_extension_that_got_a_phone_meanwhile_is_a_fault_of_its_line(desk: Desk) -> None:
    desk.load("organization,number\n0001,002\n")
    other = "organization,number,phone,node\n0001,002,other,n1\n"
    with pytest.raises(ImportRefused) as raised:
        load_while(desk, AFTER_COMPARING, lambda: desk.load(other))
    assert [(fault.line, fault.code) for fault in raised.value.faults] == [(3, "extension_has_phone")]
