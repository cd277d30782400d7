"""Many at once, on real connections: exactly one wins, and nobody sees a deadlock."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.core.replay import ROWS, Row, replay
from tests.world import World, new_id


@pytest.mark.parametrize("policy", ["refuse", "displace"])
def test_two_people_race_for_one_phone_200_times(world: World, policy: str) -> None:
    world.office("001", "002", "003")
    world.sql("UPDATE organization SET policy = %s", policy)
    with ThreadPoolExecutor(2) as people:
        for _ in range(200):
            outcomes = [a.outcome for a in people.map(lambda n: world.move(n, "desk003"), ("001", "002"))]
            sits = world.guests()
            assert list(sits) == ["desk003"]
            if policy == "refuse":
                assert sorted(outcomes) == ["occupied", "virtualized"]
            else:
                assert outcomes == ["virtualized", "virtualized"]
                displaced = world.value(
                    "SELECT displaced FROM journal WHERE displaced IS NOT NULL ORDER BY at DESC LIMIT 1"
                )
                assert {displaced, sits["desk003"]} == {"001", "002"}
            assert world.dial("desk003").outcome == "returned"


def test_crossed_moves_under_load_never_show_a_deadlock(world: World) -> None:
    numbers = [f"{n:03}" for n in range(1, 7)]
    world.office(*numbers)
    world.sql("UPDATE organization SET policy = 'displace'")

    def shuffle(seed: int) -> set[str]:
        dice = random.Random(seed)
        seen = set()
        for _ in range(40):
            number, phone = dice.sample(numbers, 2)
            match dice.randrange(4):
                case 0:
                    seen.add(world.dial(f"desk{phone}").outcome)
                case 1:
                    seen.add(world.bring_home(number).outcome)
                case _:
                    seen.add(world.move(number, f"desk{phone}").outcome)
        return {str(outcome) for outcome in seen}

    with ThreadPoolExecutor(8) as people:
        seen = set().union(*people.map(shuffle, range(8)))
    assert seen <= {"virtualized", "returned", "already_here", "nothing_to_return"}
    assert replay(map(Row._make, world.rows(ROWS, "0001"))) == world.guests()


def test_one_star_30_delivered_five_times_at_once_returns_one(world: World) -> None:
    world.office("001", "002", "003")
    for _ in range(20):
        world.sit("001", "desk002")
        world.sit("002", "desk003")
        once = new_id()
        with ThreadPoolExecutor(5) as workers:
            answers = list(workers.map(lambda _, once=once: world.dial("desk002", request_id=once), range(5)))
        assert {(a.outcome, a.extension, a.phone) for a in answers} == {("returned", "0001*001", "desk002")}
        assert world.guests() == {"desk003": "002"}
        world.dial("desk003")


def test_ten_tries_at_once_in_one_call_are_three(world: World) -> None:
    world.office("001", "002")
    wrong = world.wrong_code()
    call = new_id()
    with ThreadPoolExecutor(8) as thieves:
        outcomes = list(
            thieves.map(lambda _: world.key("desk002", "001", wrong, call=call).outcome, range(10))
        )
    assert sorted(outcomes) == ["dropped"] * 8 + ["wrong_code"] * 2
    assert world.value("SELECT failed_codes FROM extension WHERE number = '001'") == 3
