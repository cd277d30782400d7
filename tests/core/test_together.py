"""Requests that are settled in one transaction come to what they would come to alone, one after the other; or none of them is done."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from roost.database import Conflicting
from roost.moves.binding import Move
from roost.moves.requests import Dial, Return, Virtualize
from tests.cluster import wait_until
from tests.world import World, new_id


def virtualize(world: World, number: str, phone: str, *, request_id: str = "", age: float = 0) -> Virtualize:
    return Virtualize(
        request_id=request_id or new_id(), origin="api", made_at=world.now() - timedelta(seconds=age), organization="0001",
        phone=phone, number=number,
    )  # fmt: skip


def outcomes(world: World, *requests: Move) -> list[str]:
    """What they come to together; the answers are in the order of the requests."""
    answers = world.binding.together(requests)
    assert [answer.request_id for answer in answers] == [request.request_id for request in requests]
    return [answer.outcome.value for answer in answers]


def test_each_comes_to_what_it_would_come_to_after_those_before_it(world: World) -> None:
    world.office("001", "002", "003", "004")
    dialled = Dial(request_id=new_id(), call=new_id(), phone="desk003", made_at=world.now())
    home = Return(request_id=new_id(), origin="web", made_at=world.now(), organization="0001", number="002")
    unproved = Virtualize(
        request_id=new_id(), origin="call", made_at=world.now(), phone="desk004", number="001", call=new_id()
    )
    assert outcomes(
        world,
        virtualize(world, "001", "desk003"),
        virtualize(world, "002", "desk003"),  # two people for one phone
        dialled,  # the first goes home again
        virtualize(world, "002", "desk003"),
        virtualize(world, "003", "desk004", age=3600),
        home,
        unproved,
        virtualize(world, "001", "desk999"),
    ) == [
        "virtualized", "occupied", "returned", "virtualized", "expired", "returned", "wrong_code", "unknown_phone",
    ]  # fmt: skip
    assert world.guests() == {}
    assert len(world.journal()) == 8


def test_one_id_twice_takes_effect_once(world: World) -> None:
    world.office("001", "002", "003")
    twice = virtualize(world, "001", "desk002")
    assert outcomes(world, twice, virtualize(world, "001", "desk003"), twice) == ["virtualized"] * 3
    assert world.guests() == {"desk003": "001"}
    assert outcomes(world, twice) == ["virtualized"]
    assert (world.guests(), len(world.journal())) == ({"desk003": "001"}, 2)


def test_if_one_cannot_be_done_none_is(world: World) -> None:
    world.office("001", "002")
    world.sql("ALTER TABLE journal ADD CONSTRAINT poison CHECK (actor <> 'poison')")
    poison = virtualize(world, "002", "desk001").model_copy(update={"actor": "poison"})
    sound = virtualize(world, "001", "desk002")
    with pytest.raises(psycopg.errors.CheckViolation):
        world.binding.together([sound, poison])
    assert (world.guests(), world.journal()) == ({}, [])
    assert outcomes(world, sound) == ["virtualized"]


def test_who_holds_a_row_for_long_is_not_waited_for(world: World, database_url: str) -> None:
    world.office("001", "002", "003")
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM phone WHERE name = 'desk002' FOR UPDATE")
        with pytest.raises(Conflicting):
            world.binding.together([virtualize(world, "003", "desk001"), virtualize(world, "001", "desk002")])
    assert world.journal() == []


def test_if_somebody_holds_a_row_those_who_need_another_are_done(world: World, database_url: str) -> None:
    world.office("001", "002", "003", "004")
    blocked, moves = virtualize(world, "001", "desk002"), virtualize(world, "003", "desk004")
    home = Return(request_id=new_id(), origin="web", made_at=world.now(), organization="0001", number="004")
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM phone WHERE name = 'desk002' FOR UPDATE")
        answers = world.binding.together_if_free([blocked, moves, home])
        assert [answer and answer.outcome for answer in answers] == [None, "virtualized", "nothing_to_return"]
        assert world.binding.together_if_free([blocked]) == [None]
    assert (world.guests(), len(world.journal())) == ({"desk004": "003"}, 2)
    (answer,) = world.binding.together_if_free([blocked])
    assert answer is not None
    assert answer.outcome == "virtualized"


def test_what_changed_before_its_row_was_locked_is_settled_by_each_alone(
    world: World, database_url: str
) -> None:
    """A phone is given another extension while its row is waited for: that extension's row is not locked, and others may move it."""
    world.office("001", "002", "003")
    world.desk("004", phone=False)
    moves = [virtualize(world, "003", "desk001"), virtualize(world, "001", "desk002")]
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(database_url) as other, ThreadPoolExecutor(1) as worker:
        other.execute(
            "UPDATE phone SET base_id = (SELECT id FROM extension WHERE number = '004') WHERE name = 'desk001'"
        )
        asked = worker.submit(world.binding.together, moves)
        while not (asked.done() or world.value(waits)):
            pass
        other.commit()
        with pytest.raises(Conflicting):
            asked.result(timeout=10)
    assert [world.binding.virtualize(move).outcome for move in moves] == ["virtualized", "virtualized"]


def test_what_changed_before_its_row_was_locked_is_locked_anew(world: World, database_url: str) -> None:
    """The same for one alone: it waits for the extension that the phone has now."""
    world.office("001", "002", "003")
    world.desk("004", phone=False)
    home = Dial(request_id=new_id(), call=new_id(), phone="desk001", made_at=world.now())
    with (
        psycopg.connect(database_url) as holder,
        psycopg.connect(database_url) as other,
        ThreadPoolExecutor(1) as worker,
    ):
        holder.execute("SELECT FROM extension WHERE number = '004' FOR NO KEY UPDATE")
        other.execute(
            "UPDATE phone SET base_id = (SELECT id FROM extension WHERE number = '004') WHERE name = 'desk001'"
        )
        asked = worker.submit(world.binding.dial, home)
        wait_until(lambda: asked.done() or _waits_for(world, other), "it waits for the phone")
        other.commit()
        wait_until(lambda: asked.done() or _waits_for(world, holder), "it waits for the extension")
        assert not asked.done()
        holder.commit()
        assert asked.result(timeout=10).outcome == "nothing_to_return"


def _waits_for(world: World, other: psycopg.Connection) -> bool:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    return bool(world.value(waits, other.info.backend_pid))


def test_several_who_settle_many_at_once_never_wait_in_a_circle(world: World) -> None:
    numbers = [f"{n:03}" for n in range(1, 13)]
    world.office(*numbers)
    world.sql("UPDATE organization SET policy = 'displace'")
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

    def shuffle(seed: int) -> int:
        dice, done = random.Random(seed), 0
        for _ in range(15):
            pairs = [dice.sample(numbers, 2) for _ in range(8)]
            moves: list[Move] = [virtualize(world, number, f"desk{phone}") for number, phone in pairs]
            moves.append(
                Dial(
                    request_id=new_id(),
                    call=new_id(),
                    phone=f"desk{dice.choice(numbers)}",
                    made_at=world.now(),
                )
            )
            try:
                done += len(world.binding.together(moves))
            except Conflicting:
                done += len(
                    [world.binding.virtualize(move) for move in moves if isinstance(move, Virtualize)]
                )
        return done

    before = world.value(deadlocks)
    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(shuffle, range(4))) >= 4 * 15 * 8
    assert world.value(deadlocks) == before
    guests = world.guests()
    assert len(set(guests.values())) == len(guests)
