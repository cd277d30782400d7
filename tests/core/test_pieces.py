"""A full send begins with a small piece each time that the node's row is taken: the node waits for it, and for no other."""

from __future__ import annotations

from roost.nodes.full_send import Sending, _pieces
from roost.nodes.holding import look_at
from tests.core.reading import fill
from tests.world import World

_MANY = """
INSERT INTO organization (code) VALUES ('0001');
INSERT INTO extension (organization_id, number) SELECT o.id, lpad(i::text, 6, '0') FROM organization o, generate_series(1, 12000) i
"""


def test_pieces_grow_from_a_small_one_and_nothing_is_left_out(world: World) -> None:
    world.node()
    fill(world, _MANY)
    row = look_at(world.database, "n1")
    assert row is not None
    with world.database.connection() as connection:
        found = [each[1] for each in _pieces(connection, row, Sending(row.head, "e"), 0) if each is not None]
    assert [len(piece.changes) for piece in found] == [300, 600, 1_200, 2_400, 4_800, 2_700]
    assert len({change for piece in found for change in piece.changes}) == 12_000
