"""A kind of PBX from elsewhere, installed beside Roost: commands, real workers, doctor and audit serve it as any other."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from roost.pbx.node import NodeAddress, Rings
from tests.cluster import Cluster, own_product
from tests.conformance.folder.kind import KIND
from tests.conformance.targets import DEADLINE

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def cluster(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A push worker and a beat, where a package with the kind is installed."""
    package = tmp_path_factory.mktemp("packages") / "roost_folder-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: roost-folder\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[roost.pbx]\nfolder = tests.conformance.folder.kind:KIND\n")
    folder, none = tmp_path_factory.mktemp("roost"), {"bind": 0, "verify": 0, "center": 0}
    with (
        own_product(postgres, rabbitmq, folder, counts=none, packages=[package.parent]) as product,
        product,
        Cluster(product) as running,
    ):
        yield running


@pytest.fixture
def roost(cluster: Cluster, tmp_path: Path) -> Command:
    """Run a command as a person does, with nothing on its standard input."""
    return partial(cluster.command, tmp_path)


def test_a_node_of_another_kind_is_added_filled_moved_audited_and_examined(
    cluster: Cluster, roost: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "pbx"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    added = ("node", "add", "n1", "--kind", "folder", "--host", "localhost", "--option", f"folder={folder}")
    assert roost(*added).stdout == "Added node n1.\n"
    shown = json.loads(roost("node", "show", "n1", "--json").stdout)
    assert (shown["port"], shown["username"], shown["options"]) == (1, None, {"folder": str(folder)})

    cluster.world.organization()
    cluster.world.desk("001")
    cluster.world.desk("002")
    cluster.settled()
    cluster.world.move("001", "desk002")
    cluster.settled()
    address = NodeAddress("folder", "localhost", 1, SecretStr(""), {"folder": str(folder)})
    node = KIND.open(address, DEADLINE)
    assert node.read([("e", "0001*001")]) == {("e", "0001*001"): Rings("0001*001", "n1", "desk002")}

    node.apply([Rings("0001*001", "n9", "nobody")], None)
    audited = roost("audit", "--json")
    assert [(each["name"], each["drift"]) for each in json.loads(audited.stdout)] == [("n1", 1)]
    said = roost("doctor").stdout
    assert "Folder " in said
    assert "Everybody may write into the folder." in said
    assert "Find who else writes there." in said

    assert roost("node", "set", "n1", "--option", "style=long").returncode == 0
    cluster.world.bring_home("001")
    cluster.settled()
    assert "\n" in (folder / "e" / "0001*001").read_text()
