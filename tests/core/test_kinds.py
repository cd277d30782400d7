"""Kinds of PBX: how they are found, and that nobody else speaks of them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from roost.diagnosis.nodes import check_nodes
from roost.errors import RoostError
from roost.nodes.converge import converge
from roost.nodes.holding import PushFailed
from roost.nodes.status import cluster_status
from roost.pbx.checked import fault
from roost.pbx.kinds import BadKind, NodeOptions, PbxKind, default_kind, kind_named, kinds
from roost.pbx.node import Gone, NodeAddress, PbxNode, Rings
from tasks.nodes import NodeConnections
from tests.conformance.folder.kind import KIND
from tests.world import World


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The entry points of a package that is installed, to be written."""
    package = tmp_path / "other-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    kinds.cache_clear()
    yield package / "entry_points.txt"
    kinds.cache_clear()


def test_a_package_brings_a_kind(installed: Path) -> None:
    installed.write_text("[roost.pbx]\nanything = tests.conformance.folder.kind:KIND\n")
    assert kind_named("folder") is KIND
    assert default_kind() != "folder"


@pytest.mark.parametrize(
    "value", ["roost.pbx.asterisk:KIND", "tests.conformance.folder.kind:LONGEST", "not.installed:KIND"]
)
def test_a_package_whose_kind_is_none_or_there_already_is_named(installed: Path, value: str) -> None:
    installed.write_text(f"[roost.pbx]\nanything = {value}\n")
    with pytest.raises(BadKind, match=f"anything = {value}"):
        kinds()


def test_without_the_package_the_kind_is_unknown() -> None:
    with pytest.raises(RoostError, match="'folder'; known:"):
        kind_named("folder")


def test_an_odd_key_that_a_node_told_can_be_deleted_unless_it_would_end_a_line() -> None:
    assert [fault(Gone("e", key)) for key in ("a\tb", "a\x7f", "a\udcff")] == ["", "", ""]
    assert all(fault(Gone("p", key)) for key in ("a\nb", "a\rb", "a\0b"))
    assert all(fault(Rings(key, "n1", "desk")) for key in ("a\tb", "a\x7fb", "a\nb"))


def broken(_address: NodeAddress, _options: object, _deadline: float) -> PbxNode:
    """An adapter of somebody else, with a fault."""
    raise ZeroDivisionError("which may name a secret")


BROKEN = PbxKind(
    name="broken",
    options=NodeOptions,
    port=lambda _options: 1,
    connect=broken,
    examine=lambda _node: (),
    if_refused="",
    if_drifted="",
)


def test_a_kind_that_fails_as_nobody_expects_is_a_failure_of_its_node_and_hides_no_other(
    installed: Path, world: World
) -> None:
    installed.write_text("[roost.pbx]\nanything = tests.core.test_kinds:BROKEN\n")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    world.node("n1", kind="broken")
    world.node("n2", port=port)
    said = "failed in a way that nobody expects. (ZeroDivisionError; the log says where)"
    connections = NodeConnections(world.settings)
    with capture_logs() as logs:
        failed = converge(world.database, "n1", connections, 3.0)
        doctor = [found.says for found in check_nodes(world.database, world.settings)]
    assert isinstance(failed, PushFailed)
    assert failed.error.endswith(said)
    assert [line["event"] for line in logs] == ["adapter_failed"] * 2
    n1, _ = cluster_status(world.database).nodes
    assert (n1.failures, n1.last_error) == (1, failed.error)
    assert n1.next_attempt_at is not None, "it is not tried without a pause"
    assert doctor[0] == f"n1: {failed.error}"
    assert doctor[1].startswith("n2: The PBX node is not reachable now.")


def test_no_kind_is_named_outside_its_folder(repository: Path) -> None:
    named = re.compile("|".join(f"[\"']{name}[\"']" for name in kinds()))
    sources = [file for top in ("roost", "tasks", "workers") for file in (repository / top).rglob("*.py")]
    assert len(sources) > 100
    assert [
        str(file.relative_to(repository))
        for file in sources
        if file.parent.parent != repository / "roost" / "pbx" and named.search(file.read_text())
    ] == []
