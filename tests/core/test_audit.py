"""Audits: a whole table is compared while moves go on, and what drifted is mended."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from localcluster.postgres import Postgres
from roost.directory.node_scope import set_scope
from roost.nodes.audit import Audited, audit
from roost.nodes.converge import Converged
from roost.nodes.holding import NodeRow
from roost.nodes.status import await_audits, cluster_status, is_audited, request_audit
from roost.pbx.asterisk.adapter import AsteriskNode
from roost.pbx.node import Gone, Key, PbxNode, Rings
from tasks.nodes import NodeConnections
from tests.cluster import wait_until
from tests.core.pushed_node import RETRY_MAX, Node


def idle_transactions_ended(postgres: Postgres) -> int:
    """How many transactions PostgreSQL ended because nothing was done in them."""
    return (postgres.folder / "postgres.log").read_text().count("idle-in-transaction timeout")


def test_an_audit_mends_what_drifted_and_leaves_what_is_not_yet_told(node: Node) -> None:
    node.push()
    node.tamper([Rings("0001*003", "n9", "elsewhere"), Gone("p", "desk001"), Rings("0009*9", None, None)])
    node.world.sit("001", "desk002")
    assert node.audit() == Audited(3)
    assert node.world.value("SELECT drift FROM pbx_node") == 3
    assert node.holds()["e", "0001*001"] == Rings("0001*001", "n1", "desk001"), "the move is left to the push"
    node.push()
    assert node.holds() == node.truth()
    assert node.audit() == Audited(0)


def test_a_node_with_a_scope_is_sent_and_audited_as_far_as_that_goes(node: Node) -> None:
    """An organization beside it is none of its business, and in its own one phone is out of use, and one extension has none."""
    world = node.world
    world.organization("0002")
    world.desk("001", organization="0002", phone=False)
    world.desk("004", phone=False)
    world.sql("UPDATE phone SET enabled = false WHERE name = 'desk001'")
    set_scope(world.database, "n1", ["0001"])
    node.push()
    served = {key: change for key, change in node.truth().items() if key != ("e", "0002*001")}
    assert len(served) == 4 + 2
    assert node.holds() == served
    node.tamper([Gone("e", "0001*004"), Gone("p", "desk003"), Rings("0002*001", None, None)])
    assert node.audit() == Audited(3)
    assert node.holds() == served


def test_a_large_table_is_audited_while_moves_go_on_and_the_row_is_held_for_moments(
    node: Node, postgres: Postgres
) -> None:
    ended = idle_transactions_ended(postgres)
    node.world.sql(
        "INSERT INTO extension (organization_id, number) SELECT o.id, n::text FROM organization o, generate_series(10000, 19999) n"
    )
    assert isinstance(node.push(), Converged)
    node.tamper([Gone("e", "0001*12345"), Rings("0001*18456", "n9", "x"), Rings("0009*7", "n1", "x")])
    moved = 0
    with ThreadPoolExecutor(1) as another:
        auditing = another.submit(node.audit)
        while not auditing.done():
            node.world.move("001", "desk002") if moved % 2 == 0 else node.world.bring_home("001")
            moved += 1
            wait_until(lambda: isinstance(node.push(), Converged), "the move is told beside the audit", 2)
        assert auditing.result() == Audited(3)
    assert moved > 1
    assert idle_transactions_ended(postgres) == ended
    node.push()
    assert node.holds() == node.truth()


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many keys each page has in which a node is listed, as a large one is."""
    seen: list[int] = []
    list_keys = AsteriskNode.keys

    def keys(node: AsteriskNode, about: int) -> Iterator[list[Key]]:
        for page in list_keys(node, about):
            seen.append(len(page))
            yield page

    monkeypatch.setattr(AsteriskNode, "keys", keys)
    monkeypatch.setattr("roost.pbx.ami.table.ONE_PAGE", 100)
    return seen


def test_what_a_node_holds_beyond_its_scope_is_never_in_memory_at_once(node: Node, pages: list[int]) -> None:
    """A scope of few keys says nothing of how many the node has from before."""
    world = node.world
    world.node("n2")
    world.organization("0002")
    world.desk("001", organization="0002")
    world.sql(
        "UPDATE phone SET node_id = (SELECT id FROM pbx_node WHERE name = 'n2') WHERE name LIKE 'desk00_'"
    )
    world.sql(
        "INSERT INTO extension (organization_id, number) SELECT o.id, n::text FROM organization o, generate_series(10000, 10399) n"
        " WHERE o.code = '0001'"
    )
    node.push()
    assert len(node.holds()) == 400 + 2 * 4
    set_scope(world.database, "n1", ["0002"])
    assert node.audit() == Audited(400 + 2 * 3), "before the next push"
    assert max(pages) <= 400 / 10 + 4
    pages.clear()
    node.push()
    assert set(node.holds()) == {("e", "0002*001"), ("p", "desk0002-001")}
    assert max(pages) <= 2


def test_an_audit_rests_after_each_page_that_a_node_lists(node: Node, pages: list[int]) -> None:
    """Each takes the node's time, though it may have no key."""
    node.world.sql(
        "INSERT INTO extension (organization_id, number) SELECT o.id, n::text FROM organization o, generate_series(10000, 10099) n"
    )
    node.push()
    rests: list[float] = []
    pages.clear()
    assert audit(node.world.database, "n1", node.connections, RETRY_MAX, rests.append) == Audited(0)
    assert pages.count(0) > 20
    assert len(rests) == len(pages) + 2 + 2, "and after each kind that was compared, and its end"


def test_a_push_that_finds_an_audit_at_the_node_is_made_up_for(node: Node) -> None:
    """Whoever finds the row taken leaves at once; then whoever held it pushes."""

    class Interrupted(NodeConnections):
        """Somebody moves, and is pushed, while the row is held."""

        def open(self, row: NodeRow) -> PbxNode:
            if not pushed:
                node.world.move("001", "desk002")
                pushed.append(node.push())
            return super().open(row)

    pushed: list[object] = []
    node.push()
    node.tamper([Gone("p", "desk001")])
    connections = Interrupted(node.world.settings)
    assert audit(node.world.database, "n1", connections, RETRY_MAX, push=node.push) == Audited(1)
    connections.close()
    assert pushed == [None]
    assert node.holds() == node.truth()


def test_who_waits_for_audits_waits_as_long_as_they_go_on(node: Node) -> None:
    asked = request_audit(node.world.database)
    assert [is_audited(n, asked) for n in await_audits(node.world.database, asked, patience=0.1)] == [False]
    node.push()
    with ThreadPoolExecutor(1) as another:
        waiting = another.submit(await_audits, node.world.database, asked)
        node.audit()
        assert [is_audited(n, asked) for n in waiting.result(20)] == [True]


def test_an_audit_goes_on_where_one_broke_off_and_a_request_begins_anew(node: Node) -> None:
    node.push()
    node.tamper([Rings("0001*001", "n9", "x"), Gone("p", "desk001")])
    node.world.sql(
        "INSERT INTO node_audit (node_id, began_at, seen_at, stage) SELECT id, now(), '-infinity', 'p' FROM pbx_node"
    )
    assert node.audit() == Audited(1), "extensions were done"
    request_audit(node.world.database)
    assert node.audit() == Audited(1)
    assert node.holds() == node.truth()


def test_an_audit_that_is_asked_for_all_the_time_ends_and_is_followed_by_one_that_answers_who_asked_meanwhile(
    node: Node,
) -> None:
    database = node.world.database
    node.push()
    before, meanwhile, due = request_audit(database), [], []

    def somebody_asks(_took: float) -> None:
        meanwhile.append(request_audit(database))
        pushed = node.push()
        due.append(isinstance(pushed, Converged) and pushed.audit_due)
        assert node.audit() is None, "one is in progress"

    assert audit(database, "n1", node.connections, RETRY_MAX, somebody_asks) == Audited(0)
    (status,) = cluster_status(database).nodes
    assert is_audited(status, before)
    assert len(meanwhile) > 3
    assert not any(is_audited(status, asked) for asked in meanwhile), (
        "what changed since may not have been seen"
    )
    assert not any(due), "not while one is in progress"
    last = node.push()
    assert isinstance(last, Converged)
    assert last.audit_due
    assert node.audit() == Audited(0)
    (status,) = cluster_status(database).nodes
    assert all(is_audited(status, asked) for asked in meanwhile)
    last = node.push()
    assert isinstance(last, Converged)
    assert not last.audit_due


def test_an_audit_can_be_asked_for_while_a_push_holds_the_node(node: Node) -> None:
    with node.world.database.connection() as other, other.transaction():
        other.execute("SELECT 1 FROM pbx_node WHERE name = 'n1' FOR NO KEY UPDATE")
        assert list(request_audit(node.world.database)) == ["n1"]
