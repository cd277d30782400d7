"""Two people want one phone at the same moment, each through a center and a node of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.endtoend.office import Office

RACES = 100
#: Who races: number, own node and center.
RACERS = (("001", "n1", 0), ("002", "n2", 1))
PHONE = "desk004"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("policy", ["refuse", "displace"])
def test_two_people_race_for_one_phone(office: Office, policy: str) -> None:
    """Every fifth race is one of calls with codes; in the others the last step alone races, which is closer."""
    office.open(policy=policy)
    expected = ["occupied", "virtualized"] if policy == "refuse" else ["virtualized", "virtualized"]
    won = {"001": 0, "002": 0}
    with ThreadPoolExecutor(2) as people:
        for race in range(RACES):
            start = _by_call if race % 5 == 0 else _by_task
            racers = RACERS if race % 2 else RACERS[::-1]  # who is told first has a start
            outcomes = people.map(lambda racer, start=start: start(office, *racer), racers)
            assert sorted(outcomes) == expected
            ((phone, winner),) = office.world.guests().items()
            loser = "002" if winner == "001" else "001"
            assert (phone, office.world.rings(loser)) == (PHONE, f"desk{loser}")
            won[winner] += 1
            if race % 25 == 0:
                office.agree()
                office.reaches("desk003", winner, PHONE)
                office.reaches("desk003", loser, f"desk{loser}")
            assert office.call(PHONE, "*30", node="n2").outcome == "returned"
    displaced = office.world.value("SELECT count(*) FROM journal WHERE displaced IS NOT NULL")
    assert displaced == (0 if policy == "refuse" else RACES)
    assert min(won.values()) > 0, "it was no race"
    office.agree()


def _by_call(office: Office, number: str, node: str, center: int) -> str:
    return office.call(PHONE, f"*30{number}", office.code(number), node=node, center=center).outcome


def _by_task(office: Office, number: str, *_: object) -> str:
    return office.ask_to_move(number, PHONE)
