"""A full send begins with a small piece each time that the node's row is taken: the node waits for it, and for no other. How far it is, is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from roost.database import Database
from roost.errors import NodeUnavailable
from roost.nodes.converge import Converged, converge
from roost.nodes.full_send import Sending, _pieces
from roost.nodes.holding import NodeRow, PushFailed, look_at
from roost.nodes.routes import read_piece
from roost.nodes.status import cluster_status
from roost.pbx.node import ActsAs, Change, Cursor, Kind, PbxNode, RefusedRow, key_of
from tasks.nodes import NodeConnections
from tests.core.pushed_node import RETRY_MAX, Node, number_all
from tests.core.reading import fill, rows_passed
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


_MANY_ORGANIZATIONS = """
INSERT INTO organization (code) SELECT lpad(i::text, 4, '0') FROM generate_series(1, 100) i;
INSERT INTO extension (organization_id, number) SELECT o.id, lpad(i::text, 6, '0') FROM organization o, generate_series(1, 40) i ORDER BY {order};
INSERT INTO phone (organization_id, name, node_id, base_id) SELECT organization_id, 'desk-' || id, (SELECT min(id) FROM pbx_node), id FROM extension;
UPDATE pbx_node SET serves_all = false;
INSERT INTO node_scope SELECT n.id, o.id FROM pbx_node n, organization o WHERE o.code::int % {every} = 0
"""


@pytest.fixture
def pushing(world: World, database_url: str) -> Iterator[World]:
    """The same, planned as a push worker has it."""
    pool = Database(database_url, size=1, one_plan=True)
    yield World(pool, world.settings)
    pool.close()


@pytest.mark.parametrize("order", ["o.id, i", "i, o.id"], ids=["one_by_one", "all_at_once"])
@pytest.mark.parametrize("every", [1, 4, 50])
def test_a_piece_for_a_node_that_serves_many_organizations_reads_about_as_much_as_it_has(
    pushing: World, order: str, every: int
) -> None:
    pushing.node()
    fill(pushing, _MANY_ORGANIZATIONS.format(order=order, every=every))
    row = look_at(pushing.database, "n1")
    assert row is not None
    kinds: dict[Kind, str] = {"e": "routes", "p": "phones"}
    for kind, name in kinds.items():
        after, found = 0, []
        with pushing.database.connection() as connection:
            while piece := read_piece(connection, row.scope, kind, after, 50):
                found += [key_of(change) for change in piece.changes]
                after = piece.last
        assert len(found) == len(set(found)) == 40 * (100 // every)
        read = rows_passed(
            pushing, f"write_piece_of_served_{name}", {"node_id": row.id, "after": 0, "limit": 20}
        )
        everything = rows_passed(pushing, f"write_piece_of_{name}", {"after": 0, "limit": 20})
        # Besides: the organizations are counted, and looked up.
        assert read < 2 * everything + 5 * 100


class LostAtPhones(NodeConnections):
    """The connection to the node breaks before it takes a phone."""

    def open(self, row: NodeRow) -> PbxNode:
        node = super().open(row)
        write = node.apply

        def apply(changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
            if changes and isinstance(changes[0], ActsAs):
                node.close()
            return write(changes, cursor)

        node.apply = apply  # type: ignore[method-assign]  # as a network would at that moment
        return node


def test_how_far_a_send_is_is_known_when_the_node_fails_on_the_way(node: Node) -> None:
    def status() -> tuple[object, ...]:
        (found,) = cluster_status(node.world.database).nodes
        return found.doing, found.keys_done, found.keys_total, found.failures

    number_all(node.world.database)
    broken = LostAtPhones(node.world.settings)
    failed = converge(node.world.database, "n1", broken, RETRY_MAX)
    broken.close()
    assert isinstance(failed, PushFailed)
    assert failed.code == NodeUnavailable.code
    assert status() == ("send", 3, 6, 1)
    node.world.sql("UPDATE pbx_node SET next_attempt_at = NULL")
    assert node.push() == Converged(6, 3)
    assert status() == (None, None, None, 0)
