"""Moves whose rows somebody holds for long, as a large import does: they take no thread, and keep no other waiting."""

from __future__ import annotations

import time

from pytest_celery import CeleryTestSetup

from tasks.together import HELD_BRIEFLY, HELD_PATIENCE, MOST_HELD
from tests.celery import messages
from tests.celery.asker import Asker
from tests.celery.test_bind_pace import Begun, a_move
from tests.celery.test_lost_workers import phone_held
from tests.cluster import Cluster
from tests.world import new_id

#: Of each kind of request, more than a worker has threads.
MANY = 20


def test_who_needs_a_row_that_others_hold_is_tried_again_with_the_next_ones() -> None:
    bind = Begun()
    blocked, other, last = a_move(), a_move(), a_move()
    bind.held = [blocked]
    bind.rests = [lambda: bind.receive(other), bind.held.clear]
    bind.receive(blocked)
    bind.run()
    assert bind.settled == [[], [other], [blocked]]
    assert bind.skipped_held == [False, True, True]
    assert len(bind.begun) == 1, "who came while it rested would not have waited for that"
    bind.run()
    bind.receive(last)
    bind.run()
    assert (bind.settled[-1], bind.skipped_held[-1]) == ([last], False)


def test_who_waited_long_for_a_row_is_given_up_and_so_are_the_oldest_of_too_many() -> None:
    bind = Begun()
    late = a_move()._replace(came=time.monotonic() - HELD_PATIENCE)
    a_while_ago = time.monotonic() - HELD_BRIEFLY
    too_many = [a_move()._replace(message=place, came=a_while_ago) for place in range(MOST_HELD + 1)]
    bind.held = [late, *too_many]
    bind.rests = [bind.held.clear]
    bind.receive(*bind.held)
    while bind.begun:
        bind.run()
    assert bind.given_up == [late, too_many[0]]
    assert [job for jobs in bind.settled for job in jobs] == too_many[1:]


def test_who_has_just_come_is_not_given_up_however_many_wait() -> None:
    """Several transactions move the same people at one time: each is soon through."""
    bind = Begun()
    bind.held = [a_move()._replace(message=place) for place in range(3 * MOST_HELD)]
    waiting = list(bind.held)
    bind.rests = [bind.held.clear]
    bind.receive(*waiting)
    while bind.begun:
        bind.run()
    assert bind.given_up == []
    assert sorted(job.message for jobs in bind.settled for job in jobs) == list(range(3 * MOST_HELD))
    assert max(len(jobs) for jobs in bind.settled) <= MOST_HELD


def test_many_who_wait_for_rows_that_are_held_keep_no_other_waiting(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker
) -> None:
    blocked = [messages.dial(office, "desk002") for _ in range(MANY)]
    moves = [messages.virtualize(office, "desk002", "001") for _ in range(MANY)]
    assert asker.ask("roost.dial", messages.dial(office, "desk003")).outcome == "nothing_to_return"
    with phone_held(office, "desk002"):
        for dialled, move in zip(blocked, moves, strict=True):
            asker.send("roost.dial", dialled)
            asker.send("roost.virtualize", move)
        others = [
            ("roost.dial", messages.dial(office, "desk003")),
            ("roost.virtualize", messages.virtualize(office, "desk004", "003")),
            ("roost.return", messages.return_home(office, "002")),
        ]
        for task, request in others:
            asker.send(task, request)
        asker.send("roost.clock", now := new_id())
        asker.hear(now, *(request["request_id"] for _, request in others), deadline=1.5)
        answers = asker.hear(*(request["request_id"] for request in blocked + moves), deadline=10)
        assert {answer.outcome for answer in answers} == {"unavailable"}
    assert (
        asker.ask("roost.virtualize", messages.virtualize(office, "desk002", "001")).outcome == "virtualized"
    )


def test_who_waits_for_a_row_has_it_as_soon_as_it_is_free(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker
) -> None:
    move = messages.virtualize(office, "desk002", "001")
    with phone_held(office, "desk002"):
        asker.send("roost.virtualize", move)
        asker.ask("roost.dial", messages.dial(office, "desk003"))
        assert move["request_id"] not in asker.answers
    assert asker.hear(move["request_id"], deadline=2)[0].outcome == "virtualized"


def test_many_codes_whose_rows_are_held_keep_no_other_code_waiting(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker
) -> None:
    wrong = office.world.wrong_code("001")
    with phone_held(office, "desk002"):
        for _ in range(MANY):
            asker.send("roost.verify", messages.attempt(office, "desk002", "001", wrong))
        other = messages.attempt(office, "desk004", "003", office.world.codes["0001", "003"])
        asker.send("roost.verify", other)
        assert asker.hear(other["request_id"], deadline=15)[0].outcome == "virtualized"
