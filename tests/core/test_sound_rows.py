"""Rows that PostgreSQL writes as text pass at once when each would by itself, and are the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roost.nodes.converge import Converged
from roost.nodes.refused_rows import list_refused_rows
from roost.nodes.routes import EVERYWHERE, everything, read_piece
from roost.pbx import row_text
from roost.pbx.ami.astdb import action_fields, unnumbered_puts
from roost.pbx.ami.codec import unnumbered
from roost.pbx.checked import faults
from roost.pbx.node import ActsAs, Change, Kind, Rings, key_of
from roost.pbx.sound_rows import SoundRows
from tests.core.pushed_node import Node
from tests.world import World

HERE, NOWHERE = Rings("0001*001", "n1", "desk-1"), Rings("0001*002", None, None)
ADA = ActsAs("desk-1", "0001", "001", "Ada", "acct.1", "001@0001", "001", "112", "Floor 3")


def written(changes: Sequence[Rings | ActsAs]) -> SoundRows | None:
    """As PostgreSQL writes them."""
    kind: Kind = "e" if isinstance(changes[0], Rings) else "p"
    fields = ["\t".join(change[1:]) if isinstance(change, ActsAs) else place_of(change) for change in changes]
    return SoundRows.of(kind, lines(change[0] for change in changes), lines(fields), len(changes))


def place_of(change: Rings) -> str:
    return "-" if (change.node, change.phone) == (None, None) else f"{change.node or ''}/{change.phone or ''}"


def lines(texts: object) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()  # type: ignore[attr-defined]  # any iterable


@pytest.mark.parametrize(
    "odd",
    [
        ADA._replace(name="two\nlines"),
        ADA._replace(name="a\ttab"),
        ADA._replace(phone="desk\t1"),
        ADA._replace(phone="desk\n1"),
        ADA._replace(emergency_location="nul\0"),
        ADA._replace(mailbox="\x7f"),
        HERE._replace(extension="0001*001\r"),
        HERE._replace(extension="0001*001\n"),
        HERE._replace(phone="desk/9"),
        HERE._replace(phone="desk 9"),
        HERE._replace(phone="d" * 65),
        HERE._replace(phone=None),
        HERE._replace(node=None),
        HERE._replace(node="n1\n", phone="-\n-"),
    ],
)
def test_one_odd_row_and_none_passes_as_text(odd: Rings | ActsAs) -> None:
    sound = HERE if isinstance(odd, Rings) else ADA
    assert written([sound, sound]) is not None
    assert written([sound, odd, sound]) is None
    assert len(faults([sound, odd, sound])) == 1


def test_text_with_another_number_of_rows_is_none() -> None:
    assert SoundRows.of("e", b"0001*001\n0001*002\n", b"-\n", 1) is None
    assert SoundRows.of("e", b"0001*001\n", b"-\n", 2) is None
    assert SoundRows.of("e", b"0001*001", b"-\n", 1) is None


_TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("\t\n\r\0\x1f\x7f\x85\u2028/-,%"), max_size=6)
_ROWS = st.one_of(
    st.lists(st.builds(Rings, _TEXTS, st.none() | _TEXTS, st.none() | _TEXTS), min_size=1, max_size=4),
    st.lists(st.builds(ActsAs, *[_TEXTS] * 9), min_size=1, max_size=4),
)


@settings(max_examples=1000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(_ROWS)
def test_what_passes_as_text_would_pass_one_by_one(changes: list[Rings | ActsAs]) -> None:
    rows = written(changes)
    if rows is None:
        assert faults(changes)
    else:
        assert list(rows) == changes
        assert faults(list(rows)) == {}
        stored = [(name.decode(), text.decode()) for some in row_text.stored(rows, 2) for name, text in some]
        assert stored == [(change[0], row_text.value(change)) for change in changes]
        assert unnumbered_puts(rows) == [unnumbered(*action_fields(change)) for change in changes]
        numbers = [change for change in changes if isinstance(change, ActsAs) and change.emergency_number]
        assert rows.may_have_emergency_numbers or not numbers


def test_rows_without_any_emergency_number_are_not_looked_at_for_one() -> None:
    plain = ADA._replace(emergency_number="", emergency_location="")
    for rows, may in ([plain, plain], False), ([plain, ADA], True), ([HERE, NOWHERE], False):
        sound = written(rows)
        assert sound is not None
        assert sound.may_have_emergency_numbers is may


def test_a_piece_that_is_read_as_text_is_what_the_database_says(world: World) -> None:
    world.office("001", "002")
    world.desk("003", phone=False)
    world.sql("UPDATE extension SET name = '100%%, \u2028 \U0001f99c/-' WHERE number = '002'")
    found: list[Change] = []
    with world.database.connection() as connection:
        for kind in ("e", "p"):
            piece = read_piece(connection, EVERYWHERE, kind, 0, 10)
            assert piece is not None
            assert isinstance(piece.changes, SoundRows)
            found += piece.changes
        assert {key_of(change): change for change in found} == {key_of(c): c for c in everything(connection)}


def test_an_odd_row_in_the_database_holds_up_itself_alone(node: Node) -> None:
    """Somebody dropped a constraint. What holds the TAB is not sent, and told; the rest of its piece is."""
    node.world.sql("ALTER TABLE extension DROP CONSTRAINT extension_name_check")
    node.world.sql("UPDATE extension SET name = E'A\\tda' WHERE number = '001'")
    pushed = node.push()
    assert isinstance(pushed, Converged)
    assert pushed.refused == 1
    assert [row.key for row in list_refused_rows(node.world.database)] == ["p/desk001"]
    assert node.holds() == {key: row for key, row in node.truth().items() if key != ("p", "desk001")}
