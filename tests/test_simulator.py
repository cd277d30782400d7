"""The simulator as a process: its nodes, its faults, and what outlives it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localcluster.process import wait_until
from roost.errors import NodeRefused, NodeUnavailable
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Cursor, Key, PbxNode, Rings, key_of
from simulator.faults import Mode
from simulator.store import Store
from tests.conformance.asterisk.raw_ami import RawAmi
from tests.conformance.asterisk.target import Simulator
from tests.conformance.targets import DEADLINE

HERE = Rings("0001*001", "n1", "desk-1")
AWAY = Rings("0001*001", "n2", "desk-2")
LATER = Cursor("db", 2)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    process = Simulator(tmp_path)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def node(simulator: Simulator) -> Iterator[PbxNode]:
    connection = connect(simulator.address, DEADLINE)
    connection.apply([HERE], Cursor("db", 1))
    yield connection
    connection.close()


def fault(simulator: Simulator, mode: Mode, *lines: str) -> None:
    raw = RawAmi(simulator.address)
    assert raw.ask("Action: SimFault", f"Mode: {mode}", *lines) == "Response: Success\r\nMessage: Fault taken"
    raw.close()


def reread(simulator: Simulator) -> tuple[dict[Key, Change | None], Cursor | None]:
    connection = connect(simulator.address, DEADLINE)
    seen = connection.dump(), connection.cursor()
    connection.close()
    return seen


@pytest.mark.parametrize(
    ("mode", "error"),
    [(Mode.ERROR, NodeUnavailable), (Mode.DENY, NodeRefused), (Mode.DROP_CONNECTION, NodeUnavailable)],
)
def test_a_fault_ends_when_it_is_told_to(
    simulator: Simulator, node: PbxNode, mode: Mode, error: type[Exception]
) -> None:
    fault(simulator, mode)
    with pytest.raises(error):
        node.apply([AWAY], LATER)
    fault(simulator, Mode.NONE)
    assert reread(simulator) == ({key_of(HERE): HERE}, Cursor("db", 1))


@pytest.mark.parametrize("mode", [Mode.ERROR, Mode.DROP_CONNECTION, Mode.DENY])
def test_a_fault_amid_many_changes_leaves_the_cursor_alone(
    simulator: Simulator, node: PbxNode, mode: Mode
) -> None:
    changes: list[Change] = [Rings(f"0001*{number:04d}", "n1", "x") for number in range(2000)]
    fault(simulator, mode, "After: 1500")
    with pytest.raises((NodeUnavailable, NodeRefused)):
        node.apply(changes, LATER)
    fault(simulator, Mode.NONE)
    table, cursor = reread(simulator)
    assert len(table) == 1501
    assert cursor == Cursor("db", 1)


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.SLOW])
def test_a_node_that_does_not_answer_costs_the_deadline(
    simulator: Simulator, node: PbxNode, mode: Mode
) -> None:
    hasty = connect(simulator.address, 0.3)
    if mode is Mode.HANG:
        fault(simulator, mode)
    else:
        slow_down(simulator)
    began = time.monotonic()
    with pytest.raises(NodeUnavailable):
        hasty.apply([AWAY], LATER)
    assert 0.25 < time.monotonic() - began < 2


def slow_down(simulator: Simulator) -> None:
    raw = RawAmi(simulator.address)
    raw.send(b"Action: SimFault\r\nMode: slow\r\nSeconds: 60\r\n\r\n")
    # The slow node still obeys in order: an answer that does not come says it is slow already.
    wait_until(lambda: is_slow(simulator), 5, "a slow node")
    raw.close()


def is_slow(simulator: Simulator) -> bool:
    try:
        connect(simulator.address, 0.2).close()
    except NodeUnavailable:
        return True
    return False


def test_a_refused_login(simulator: Simulator) -> None:
    fault(simulator, Mode.REFUSE_LOGIN)
    with pytest.raises(NodeRefused):
        connect(simulator.address, DEADLINE)
    fault(simulator, Mode.NONE)
    connect(simulator.address, DEADLINE).close()


def test_a_crash_loses_what_was_not_committed_and_the_connections(
    simulator: Simulator, node: PbxNode
) -> None:
    node.apply([AWAY], LATER)
    fault(simulator, Mode.LOSE_LAST_SECOND)
    with pytest.raises(NodeUnavailable):
        node.cursor()
    table, cursor = reread(simulator)
    assert cursor != LATER or table == {key_of(AWAY): AWAY}


def test_a_store_loses_in_a_crash_what_came_after_its_last_commit(tmp_path: Path) -> None:
    store = Store(tmp_path / "n1.sqlite")
    store.put("/roost/kept", "old")
    store.put("/roost/deleted", "old")
    assert store.commit_due_in == 0
    store.commit()
    store.put("/roost/kept", "new")
    store.put("/roost/added", "new")
    store.delete("/roost/deleted")
    assert 0 < (store.commit_due_in or 0) <= 1
    before = {"/roost/kept": "old", "/roost/deleted": "old"}
    assert dict(Store(tmp_path / "n1.sqlite").tree("/roost")) == before
    store.crash()
    assert dict(store.tree("/roost")) == before
    assert store.commit_due_in is None


def test_a_node_may_lose_all(simulator: Simulator, node: PbxNode) -> None:
    fault(simulator, Mode.LOSE_MEMORY)
    assert reread(simulator) == ({}, None)


def test_an_orderly_end_keeps_everything_and_comes_at_once(simulator: Simulator, node: PbxNode) -> None:
    node.apply([AWAY], LATER)
    began = time.monotonic()
    simulator.stop()
    assert time.monotonic() - began < 2
    simulator.start()
    assert reread(simulator) == ({key_of(AWAY): AWAY}, LATER)


def test_faults_are_off_unless_asked_for(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, faults=False)
    simulator.start()
    raw = RawAmi(simulator.address)
    raw.log_in(simulator.address)
    assert "Invalid/unknown command: SimFault" in raw.ask("Action: SimFault", "Mode: lose-memory")
    raw.close()
    simulator.stop()


@pytest.mark.parametrize(
    "lines", [("Mode: nonsense",), (), ("Mode: slow", "Seconds: -1"), ("Mode: slow", "After: x")]
)
def test_an_unknown_fault_is_an_error(simulator: Simulator, lines: tuple[str, ...]) -> None:
    raw = RawAmi(simulator.address)
    assert raw.ask("Action: SimFault", *lines).startswith("Response: Error")
    raw.close()


def test_a_client_without_end_is_cut_off(simulator: Simulator) -> None:
    raw = RawAmi(simulator.address)
    raw.send(b"x: y\r\n" * 100_000)
    assert raw.closed_by_peer()
    raw.close()
    connect(simulator.address, DEADLINE).close()


def test_sixty_four_nodes_in_one_process_are_apart(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, nodes=64)
    simulator.start()

    def write(number: int) -> None:
        connection = connect(simulator.address_of(number), DEADLINE)
        connection.apply([Rings("0001*001", f"n{number}", "desk")], Cursor("db", number))
        connection.close()

    # Eight at a time: of 64 that log in at once, each has its own deadline and a 64th of one core.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))  # raises what one of them raised
    for number in range(64):
        connection = connect(simulator.address_of(number), DEADLINE)
        assert connection.cursor() == Cursor("db", number)
        assert connection.dump() == {("e", "0001*001"): Rings("0001*001", f"n{number}", "desk")}
        connection.close()
    simulator.stop()
    assert simulator.log.read_text().count(" ready on 127.0.0.1:") == 64


def test_the_secret_is_no_argument(simulator: Simulator) -> None:
    assert not any(simulator.secret.get_secret_value() in argument for argument in simulator.process.argv)


def test_a_crash_takes_back_what_a_search_finds_and_a_file_keeps_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "astdb")
    for number in (1, 2):
        store.put(f"/roost/e/{number}", "x")
    store.commit()
    store.delete("/roost/e/2")
    store.put("/roost/e/3", "x")
    assert [key for key, _ in store.tree("/ROOST/e")] == ["/roost/e/1", "/roost/e/3"]
    store.crash()
    for each in (store, Store(tmp_path / "astdb")):
        assert each.tree("/roost/e/_") == [("/roost/e/1", "x"), ("/roost/e/2", "x")]
        assert each.tree("/roost/e/%2") == [("/roost/e/2", "x")]
        assert each.tree("/roost/f") == []
    store.clear()
    store.crash()
    for each in (store, Store(tmp_path / "astdb")):
        assert each.tree("/roost") == each.tree("") == []
