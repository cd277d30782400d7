"""The commands that go through RabbitMQ and the workers, and the doctor on a cluster that is well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.pbx.kinds import connect
from roost.pbx.node import Change, Rings
from roost.seal import new_keys
from tests.cli.command import Ended, Run, runner
from tests.cluster import Cluster


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    """A cluster with three desks, one a node."""
    return cluster.office("001", "002", "003", nodes=("n1", "n2", "n3"))


@pytest.fixture
def roost(office: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command with the settings of the cluster."""
    for name, value in office.product.environment.items():
        monkeypatch.setenv(name, value)
    yield from runner()


@pytest.fixture
def roost_process(office: Cluster, tmp_path: Path) -> Run:
    """Run a command in a process of its own, as a person does."""

    def run(*arguments: str, stdin: str = "") -> Ended:
        done = office.command(tmp_path, *arguments, stdin=stdin)
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


def outcome(ended: Ended) -> str:
    """The code in brackets at the end of what was said."""
    return (ended.err or ended.out).rstrip().rpartition("[")[2].rstrip("]")


def test_an_administrator_moves_an_extension_and_brings_it_home(roost: Run, cluster: Cluster) -> None:
    moved = roost("virtualize", "0001*001", "desk002", "--reason", "desk is wet")
    assert (moved.exit_code, moved.out) == (0, "0001*001 rings on phone desk002 now. [virtualized]\n")
    assert cluster.world.guests() == {"desk002": "001"}
    assert cluster.world.journal()[-1] == ("virtualize", "virtualized", "001", "desk002", "desk is wet")
    assert cluster.world.value("SELECT origin FROM journal") == "cli"
    answer = roost("return", "0001*001", "--json").json
    assert (answer["outcome"], answer["extension"], answer["phone"]) == ("returned", "0001*001", "desk002")
    again = roost("return", "0001*001")
    assert (again.exit_code, outcome(again)) == (0, "nothing_to_return")


def test_a_command_is_a_process_like_any_other(roost_process: Run) -> None:
    moved = roost_process("virtualize", "0001*001", "desk002")
    assert (moved.exit_code, moved.out, moved.err) == (
        0,
        "0001*001 rings on phone desk002 now. [virtualized]\n",
        "",
    )


def test_a_displaced_guest_is_named(roost: Run, cluster: Cluster) -> None:
    cluster.world.sql("UPDATE organization SET policy = 'displace'")
    roost("virtualize", "0001*001", "desk003")
    assert "0001*001 was sent home." in roost("virtualize", "0001*002", "desk003").out


def test_each_refusal_has_its_code_and_exit_code(roost: Run, cluster: Cluster) -> None:
    world = cluster.world
    world.organization("0002")
    world.desk("009", organization="0002")
    world.desk("005", allows=False)
    roost("virtualize", "0001*001", "desk002")
    refusals = {
        ("virtualize", "0001*001", "nodesk"): (4, "unknown_phone"),
        ("virtualize", "0001*099", "desk003"): (4, "unknown_extension"),
        ("virtualize", "0002*009", "desk003"): (4, "unknown_extension"),
        ("virtualize", "0001*001", "desk002"): (0, "already_here"),
        ("virtualize", "0001*001", "desk005"): (3, "not_allowed"),
        ("virtualize", "0001*003", "desk002"): (3, "occupied"),
        ("return", "0001*099"): (4, "unknown_extension"),
        ("virtualize", "001", "desk002"): (2, "bad_extension"),
        ("virtualize", "0001*001", "desk 2"): (2, "bad_value"),
        ("return", "0001*001", "--reason", "x" * 300): (2, "invalid"),
    }
    for arguments, expected in refusals.items():
        ended = roost(*arguments)
        assert (arguments, (ended.exit_code, outcome(ended))) == (arguments, expected)
    assert world.guests() == {"desk002": "001"}


def test_a_code_is_set_used_and_cleared_and_appears_nowhere(
    roost: Run, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.world.desk("004", code=False)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("ROOST_SEAL_PUBLIC_KEY", new_keys()[0])
        differing = roost("code", "set", "0001*004", stdin="73519264\n")
    assert (differing.exit_code, outcome(differing)) == (7, "keys_differ")
    assert "ROOST_SEAL_PUBLIC_KEY" in differing.err
    assert outcome(roost("dial", "desk002", "*30004", "--center", cluster.product.centers[0])) == "no_code"
    assert outcome(roost("code", "set", "0001*004", stdin="73519264\n")) == "code_set"
    called = roost(
        "dial", "desk002", "*30004", "--center", cluster.product.centers[0], "--code", stdin="73519264\n"
    )
    assert (called.exit_code, outcome(called)) == (0, "virtualized")
    assert cluster.world.guests() == {"desk002": "004"}
    assert outcome(roost("code", "clear", "0001*004")) == "code_cleared"
    assert cluster.world.guests() == {}
    assert (
        roost("code", "set", "0001*004", stdin="12\n").exit_code,
        roost("code", "set", "0001*004").exit_code,
    ) == (2, 2)
    assert outcome(roost("code", "set", "0001*099", stdin="4711\n")) == "unknown_extension"
    logs = "".join(log.read_text() for log in cluster.product.folder.glob("*.log"))
    assert "73519264" not in logs


def test_a_call_from_the_terminal(roost: Run, cluster: Cluster) -> None:
    center, code = cluster.product.centers[1], cluster.world.codes["0001", "001"]
    tries = roost("dial", "desk002", "*30001", "--center", center, "--code", "--json", stdin=f"1\n\n{code}\n")
    assert tries.json["outcome"] == "virtualized"
    assert [play["wants_digits"] for play in tries.json["heard"]][:3] == [
        True,
        False,
        True,
    ]  # "wrong" ends by no key
    back = roost("dial", "desk002", "*30", "--center", center)
    assert (back.exit_code, back.out.startswith("center: ")) == (0, True)
    dropped = roost("dial", "desk002", "*30001", "--center", center)
    assert (dropped.exit_code, outcome(dropped)) == (3, "dropped")
    assert outcome(roost("dial", "desk002", "*31", "--center", center)) == "feature_code_differs"
    assert outcome(roost("dial", "desk099", "*30", "--center", center, "--node", "n1")) == "unknown_phone"
    assert outcome(roost("dial", "desk099", "*30", "--center", center)) == "unknown_phone"
    refused = roost("dial", "desk002", "*30", "--center", "127.0.0.1:1")
    assert (refused.exit_code, outcome(refused)) == (6, "center_unavailable")
    assert roost("dial", "desk002", "*30", "--center", "nowhere").exit_code == 2


def tamper(cluster: Cluster, node: str, change: Change) -> None:
    """What somebody else writes into a node."""
    connection = connect(cluster.product.nodes[node], 5)
    connection.apply([change], None)
    connection.close()


def test_an_audit_finds_and_mends_what_was_tampered_with(roost_process: Run, cluster: Cluster) -> None:
    cluster.settled()
    assert roost_process("audit").exit_code == 0
    tamper(cluster, "n2", Rings("0001*001", "n9", "nobody"))
    ended = roost_process("audit", "--json")
    assert ended.exit_code == 1
    assert [(node["name"], node["result"], node["drift"]) for node in ended.json] == [
        ("n1", "as it should be", 0),
        ("n2", "mended", 1),
        ("n3", "as it should be", 0),
    ]
    assert "mended 1 entry" in roost_process("doctor").out
    assert roost_process("audit", "n2").exit_code == 0


def test_the_doctor_finds_nothing_on_a_cluster_that_is_well(roost_process: Run, cluster: Cluster) -> None:
    cluster.settled()
    roost_process("audit")
    ended = roost_process("doctor", "--json")
    assert [finding for finding in json.loads(ended.out) if finding["level"] in {"warning", "error"}] == []
    assert ended.exit_code == 0


def test_the_doctor_finds_a_queue_that_nobody_serves(roost_process: Run, cluster: Cluster) -> None:
    for worker in cluster.product.of_kind("verify"):
        worker.stop()
    try:
        ended = roost_process("doctor")
        assert ended.exit_code == 7
        assert "Nobody serves the queue verify" in ended.out
        assert "Start a `verify` worker." in ended.out
    finally:
        for worker in cluster.product.of_kind("verify"):
            worker.start()
