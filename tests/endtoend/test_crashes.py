"""An Asterisk that crashed has the right routes within 5 s of its return, and nobody asked for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from localcluster.asterisk import AsteriskNode
from tests.cluster import wait_until
from tests.endtoend.office import Office

#: Seconds from a node's return until it has every route.
PROMISE = 5


@pytest.mark.parametrize("database", ["kept", "deleted"])
def test_killed_right_after_a_move(office: Office, database: str) -> None:
    office.sit("001", "desk002")
    office.settled()  # the node said that it has it; it may not have written it yet
    with _killed(office, "n1") as node:
        if database == "deleted":
            node.delete_database()
    office.reaches("desk003", "001", "desk002")
    assert office.reaches("desk002", "003", "desk003") == ("001", "Person 001")


def test_an_hour_of_moves_missed(office: Office) -> None:
    office.open(policy="displace")
    people = [f"1{n:02}" for n in range(16)]
    for place, number in enumerate(people):
        office.world.desk(number, node=f"n{place % 2 + 1}")
    with _killed(office, "n2"):
        with ThreadPoolExecutor(8) as administrators:
            moves = administrators.map(
                lambda pair: office.ask_to_move(pair[0], f"desk{pair[1]}"), itertools.permutations(people, 2)
            )
            assert set(moves) <= {"virtualized", "already_here"}
        office.sit("002", "desk001")
        office.world.sql("UPDATE extension SET name = 'Somebody else' WHERE number = '003'")
        office.world.sql("DELETE FROM extension WHERE number = '100'")
        wait_until(lambda: office.right("n1"), "n1, which was there, has every route")
    office.reaches("desk004", "002", "desk001")
    assert office.reaches("desk003", "004", "desk004") == ("003", "Somebody else")


@contextmanager
def _killed(office: Office, name: str) -> Iterator[AsteriskNode]:
    """A node is killed; afterwards it is started again, and must be right in time, by itself."""
    node = office.nodes[name]
    node.kill()
    try:
        yield node
    finally:
        node.start()
        wait_until(lambda: office.right(name), f"{name} has every route", PROMISE)
        office.bring_back(name)
