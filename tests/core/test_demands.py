"""What a kind demands of all that its nodes are told of: refused wherever it is set up, with nothing half written."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from roost.database import query
from roost.directory import Directory
from roost.directory.errors import UnknownOrganization
from roost.directory.importing import import_desks
from roost.directory.node_scope import set_scope
from roost.errors import RoostError
from roost.nodes.converge import Converged, converge
from roost.pbx.kinds import kinds
from roost.pbx.node import Demands
from tasks.nodes import NodeConnections
from tests.conformance.folder.kind import KIND
from tests.world import World

STRICT = replace(
    KIND,
    name="strict",
    demands=Demands(one_organization=True, phone_name="[0-9]{1,20}", phone_words="1 to 20 digits"),
    audit_every=5.0,
)


@pytest.fixture
def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package = tmp_path / "strict-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: strict\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[roost.pbx]\nstrict = tests.core.test_demands:STRICT\n")
    monkeypatch.syspath_prepend(tmp_path)
    kinds.cache_clear()
    yield
    kinds.cache_clear()


@pytest.fixture
def directory(world: World, strict: None, tmp_path: Path) -> Directory:
    """Organization 0001, served by the strict node s1; it knows the phone 1001."""
    directory = Directory(world.database)
    directory.add_organization("0001")
    add_strict(directory, tmp_path)
    directory.add_extension("0001*1001")
    directory.add_phone("1001", organization="0001", node="s1", base="0001*1001")
    return directory


def add_strict(directory: Directory, folder: Path, name: str = "s1", **more: object) -> None:
    directory.add_node(name, "strict", "localhost", options={"folder": str(folder)}, **more)  # type: ignore[arg-type]  # by name


def everything(world: World) -> list[object]:
    tables = ("organization", "pbx_node", "node_scope", "phone", "extension")
    return [world.rows(f"SELECT count(*), max(xmin::text) FROM {table}") for table in tables]


REFUSED: list[tuple[str, Callable[[Directory, World], object]]] = [
    ("one_organization", lambda d, w: d.add_organization("0002")),
    ("unfit_phone_name", lambda d, w: d.add_phone("desk-2", organization="0001", node="s1")),
    (
        "unfit_phone_name",
        lambda d, w: import_desks(
            w.database, io.BytesIO(b"organization,number,phone,node\n0001,1002,desk-2,s1\n")
        ),
    ),
    *(
        ("bad_value", lambda d, w, name=name: d.add_phone(name, organization="0001", node="s1"))
        for name in ("1&2", "1@n2", "1|2", "${EXTEN}")
    ),
]


@pytest.mark.parametrize(("code", "act"), REFUSED)
def test_what_a_strict_node_cannot_be_told_of_is_refused_and_nothing_is_written(
    directory: Directory, world: World, code: str, act: Callable[[Directory, World], object]
) -> None:
    before = everything(world)
    with pytest.raises(RoostError) as refusal:
        act(directory, world)
    assert refusal.value.code == code
    assert everything(world) == before


def test_a_strict_node_beside_others_says_at_once_whom_it_serves(
    world: World, strict: None, tmp_path: Path
) -> None:
    directory = Directory(world.database)
    for code in ("0001", "0002"):
        directory.add_organization(code)
    for serves, code in ((None, "one_organization"), (["0001", "0002"], "one_organization")):
        with pytest.raises(RoostError) as refusal:
            add_strict(directory, tmp_path, serves=serves)
        assert refusal.value.code == code
    with pytest.raises(UnknownOrganization):
        add_strict(directory, tmp_path, serves=["0009"])
    assert directory.nodes() == []
    add_strict(directory, tmp_path, serves=["0001"])
    directory.add_organization("0003")
    with pytest.raises(RoostError, match="one organization alone"):
        set_scope(world.database, "s1", ["0001", "0003"])
    set_scope(world.database, "s1", ["0003"])


def test_a_strict_node_is_not_added_to_phones_that_it_cannot_know(
    world: World, strict: None, tmp_path: Path
) -> None:
    world.office("001")
    with pytest.raises(RoostError, match=r"desk001: node s1, strict, needs 1 to 20 digits"):
        add_strict(Directory(world.database), tmp_path)


def test_two_at_once_break_no_demand_together(directory: Directory, world: World, tmp_path: Path) -> None:
    """One adds an organization, the other a node that serves all: whoever is second is refused."""
    directory.remove_phone("1001")
    directory.remove_node("s1")
    lock = query("lock_demands")

    def tried(act: Callable[[], object]) -> str:
        try:
            act()
        except RoostError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(2) as pool, world.database.connection() as connection, connection.transaction():
        connection.execute(lock, {"alone": True})
        both = [
            pool.submit(tried, lambda: directory.add_organization("0002")),
            pool.submit(tried, lambda: add_strict(directory, tmp_path)),
        ]
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while connection.execute(waiting).fetchone() != (2,):
            assert not any(each.done() for each in both)
    assert sorted(each.result() for each in both) == ["", "one_organization"]


def test_a_kind_may_ask_for_audits_more_often(directory: Directory, world: World) -> None:
    connections = NodeConnections(world.settings)

    def due() -> bool:
        pushed = converge(world.database, "s1", connections, 3.0, audit_every=1000.0)
        assert isinstance(pushed, Converged)
        return pushed.audit_due

    world.sql("UPDATE pbx_node SET audited_at = clock_timestamp()")
    assert not due()
    world.sql("UPDATE pbx_node SET audited_at = clock_timestamp() - interval '6 s'")
    assert due()
    connections.close()
