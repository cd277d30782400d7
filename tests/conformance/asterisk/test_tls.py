"""AMI over TLS, on a real Asterisk, with an authority of its own."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from ipaddress import ip_address

import pytest

from localcluster.asterisk import AMI_PORT, AMI_TLS_PORT
from localcluster.certificates import Authority
from roost.diagnosis.nodes import check_nodes
from roost.directory import Directory
from roost.errors import NodeUnavailable
from roost.finding import Level
from roost.nodes.converge import Converged, converge
from roost.nodes.holding import PushFailed
from roost.nodes.routes import BATCH
from roost.nodes.status import cluster_status
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Cursor, NodeAddress, Rings, key_of
from roost.pbx.tls import TlsRefused
from tasks.nodes import NodeConnections
from tests.conformance.asterisk.target import Asterisk
from tests.world import World

pytestmark = pytest.mark.parametrize("target", ["asterisk"], indirect=True)
#: Seconds that are enough for an answer, right or wrong.
PATIENCE = 10.0


def by_tls(target: Asterisk, ca: str, port: int = AMI_TLS_PORT) -> NodeAddress:
    return replace(target.address, port=port, options={"tls": True} | ({"ca": ca} if ca else {}))


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of an authority that has nothing to do with it."""
    return Authority(tmp_path_factory.mktemp("another")).certificate


def other_name_of(host: str) -> str:
    """The same address, written so that no certificate names it."""
    return str(int(ip_address(host)))


@pytest.fixture
def refusals(target: Asterisk, another: str) -> dict[str, NodeAddress]:
    """Ways to reach it that are wrong, by what is said of each."""
    right = by_tls(target, target.authority.certificate)
    return {
        "not trusted: unable to get local issuer certificate. Give who signed it": by_tls(target, another),
        "not trusted: unable to get local issuer certificate. Give who": by_tls(target, ""),
        "is for another host. Give the host that it names": replace(right, host=other_name_of(right.host)),
        f":{AMI_PORT} does not speak TLS. Give the port": replace(right, port=AMI_PORT),
    }


def test_a_batch_and_a_table_by_tls(target: Asterisk) -> None:
    target.wipe()
    changes: list[Change] = [Rings(f"0001*{number:05}", "n1", f"desk-{number}") for number in range(BATCH)]
    table = {key_of(change): change for change in changes}
    with closing(connect(by_tls(target, target.authority.certificate), PATIENCE)) as node:
        node.apply(changes, Cursor("db-1", 1))
        assert node.read(list(table)) == table
        assert node.dump() == table
        assert node.cursor() == Cursor("db-1", 1)


def test_who_is_not_who_was_meant_is_refused_with_what_to_do(refusals: dict[str, NodeAddress]) -> None:
    for said, wrong in refusals.items():
        with pytest.raises(TlsRefused) as refusal:
            connect(wrong, PATIENCE)
        assert said in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_whoever_speaks_no_tls_to_a_port_of_tls_hears_of_it(target: Asterisk) -> None:
    with pytest.raises(NodeUnavailable, match="where it speaks TLS: roost node set NODE --tls"):
        connect(replace(target.address, port=AMI_TLS_PORT), PATIENCE)


def test_a_push_worker_has_the_certificates_from_the_database(
    target: Asterisk, another: str, world: World
) -> None:
    directory = Directory(world.database, world.settings.need("seal_public_key"))
    right = by_tls(target, target.authority.certificate)
    options = {**right.options, "ca": another}
    secret = right.secret.get_secret_value()
    directory.add_node("n1", right.kind, right.host, secret=secret, options=options)
    nodes = NodeConnections(world.settings)
    failed = converge(world.database, "n1", nodes, retry_max=60)
    assert isinstance(failed, PushFailed)
    assert failed.code == "node_tls"
    assert "not trusted" in (cluster_status(world.database).nodes[0].last_error or "")
    (found,) = [each for each in check_nodes(world.database, world.settings) if each.level is Level.ERROR]
    assert "not trusted" in found.says
    assert found.mend == "Give who signed it: roost node set n1 --ca FILE."

    directory.change_node("n1", options={"ca": target.authority.certificate})
    assert isinstance(converge(world.database, "n1", nodes, retry_max=60), Converged)
    findings = list(check_nodes(world.database, world.settings))
    assert any(each.says.endswith(" answers.") for each in findings)
    assert not [each for each in findings if each.level is Level.ERROR and "ROOST_CENTER" not in each.says]
    nodes.close()
