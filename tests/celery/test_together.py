"""Moves that wait in a worker are settled together: one that cannot be, or a worker that dies of them, harms no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_celery import CeleryTestSetup

from roost.moves.requests import Virtualize
from tasks.client import Client
from tests.celery import messages
from tests.celery.asker import Asker
from tests.celery.test_lost_workers import phone_held
from tests.cluster import Cluster, wait_until

MANY = 150


@pytest.fixture
def client(office: Cluster) -> Iterator[Client]:
    """A client of this release, which hears several answers in one message."""
    with Client(office.product.settings) as client:
        yield client


def test_a_worker_that_is_killed_with_half_of_them_answered(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker
) -> None:
    requests = [messages.dial(office, "desk003") for _ in range(MANY)]
    for request in requests:
        asker.send("roost.dial", request)
    wait_until(asker.heard, "one is answered")
    celery_setup.worker.kill()
    answers = asker.hear(*(request["request_id"] for request in requests))
    assert Counter(answer.outcome for answer in answers) == {"nothing_to_return": MANY}
    assert len(office.world.journal()) == MANY


def test_one_that_must_wait_for_a_row_keeps_no_other_waiting(
    office: Cluster, celery_setup: CeleryTestSetup, asker: Asker
) -> None:
    others = [messages.dial(office, "desk003") for _ in range(MANY)]
    moves = [messages.virtualize(office, "desk002", "001") for _ in range(3)]
    with ExitStack() as held:
        held.enter_context(phone_held(office, "desk002"))
        for place, request in enumerate(others):
            if place % 50 == 0:
                asker.send("roost.virtualize", moves[place // 50])
                asker.send("roost.virtualize", messages.virtualize(office, "desk003", "004"))
            asker.send("roost.dial", request)
        asker.hear(*(request["request_id"] for request in others), deadline=10)
        assert not {move["request_id"] for move in moves} & set(asker.answers)
    outcomes = sorted(answer.outcome for answer in asker.hear(*(move["request_id"] for move in moves)))
    assert outcomes == ["already_here", "already_here", "virtualized"]


def test_a_client_hears_every_answer_however_many_come_in_a_message(
    office: Cluster, asker: Asker, client: Client
) -> None:
    """The extensions change places all the time; the same asked again, with the same ids, is answered the same."""
    office.world.sql("UPDATE organization SET policy = 'displace'")
    requests = [
        Virtualize.model_validate(messages.virtualize(office, f"desk00{place % 3 + 2}", "001"))
        for place in range(MANY)
    ]
    answers = [
        f.result() for f in [client.submit("roost.virtualize", request, deadline=20) for request in requests]
    ]
    assert {answer.outcome for answer in answers} <= {"virtualized", "already_here"}
    again = [
        f.result() for f in [client.submit("roost.virtualize", request, deadline=20) for request in requests]
    ]
    assert [a.outcome for a in again] == [a.outcome for a in answers]
    assert len(office.world.journal()) == MANY
