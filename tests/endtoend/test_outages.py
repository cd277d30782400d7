"""What people hear, and who rings, while parts of Roost are down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.call_logs import AsteriskLog
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from roost.errors import DatabaseUnavailable
from tests.cluster import wait_until
from tests.endtoend.office import Office
from tests.phone_cluster import SAYS_001


def test_with_no_center_star_30_says_so(office: Office) -> None:
    centers = list(office.product.of_kind("center"))
    for center in centers:
        center.stop()
    try:
        with _at_most(5):
            heard = office.dial_center("desk002", "*30001")
        assert (heard.outcome, heard.prompts) == ("", ["im-sorry", "please-try-call-later"])
    finally:
        for center in centers:
            center.start()
    assert office.dial_center("desk002", "*30").outcome == "nothing_to_return"


def test_with_one_center_left_star_30_works(office: Office) -> None:
    center = office.product.processes["center2"]  # the one that node n2 asks first
    center.kill()
    try:
        assert office.dial_center("desk002", "*30").outcome == "nothing_to_return"
    finally:
        center.start()


def test_recordings_that_are_nowhere_are_left_out_and_what_was_done_is_done(office: Office) -> None:
    """An operator named recordings of their own, and copied none: a beep asks for the code, and the number is said."""
    center = office.product.processes["center2"]  # the one that node n2 asks first
    center.stop()
    usual = dict(center.environment or {})
    center.environment = usual | {"ROOST_PROMPT_PREFIX": "nowhere/"}
    try:
        center.start()
        log = AsteriskLog(office.nodes["n2"])
        call = office.phones["desk002"].dial("*30001")
        call.wait_up()
        log.wait("Playing 'beep")
        call.send_dtmf(f"{office.code('001')}#")
        call.wait_over()
        assert log.prompts == ["beep", *SAYS_001[1:]]
        assert office.world.guests() == {"desk002": "001"}
        office.settled()
        office.reaches("desk004", "001", "desk002")
    finally:
        center.stop()
        center.environment = usual
        center.start()


def test_with_a_frozen_broker_star_30_says_so(office: Office, rabbitmq: RabbitCluster) -> None:
    rabbitmq.pause()
    try:
        with _at_most(10):
            heard = office.dial_center("desk002", "*30001")
        assert (heard.outcome, heard.prompts) == ("unavailable", ["sorry", "please-try-call-later"])
        office.reaches("desk003", "002", "desk002")
    finally:
        rabbitmq.resume()
    _comes_back(office)


def test_with_postgres_away_star_30_says_so(office: Office, postgres: Postgres) -> None:
    postgres.kill()
    try:
        with _at_most(10):
            heard = office.dial_center("desk002", "*30001")
        assert (heard.outcome, heard.prompts) == ("unavailable", ["sorry", "please-try-call-later"])
        office.reaches("desk003", "002", "desk002")
    finally:
        postgres.start()
    _comes_back(office)


def test_calls_go_on_with_everything_down_and_what_was_committed_arrives_afterwards(
    office: Office, postgres: Postgres, rabbitmq: RabbitCluster
) -> None:
    office.sit("001", "desk002")
    office.agree()
    for center in range(len(office.product.centers)):  # each is connected, after whatever came before
        assert office.call("desk003", "*30", center=center).outcome == "nothing_to_return"
    logged = {center.log: center.log.stat().st_size for center in office.product.of_kind("center")}
    rabbitmq.kill()
    wait_until(lambda: all(_knows_no_broker(*each) for each in logged.items()), "both centers saw it")
    try:
        with _at_most(6):
            heard = office.dial_center("desk002", "*30")
        assert (heard.outcome, heard.prompts) == ("unavailable", ["sorry", "please-try-call-later"])
        moved = office.world.move("003", "desk004")  # as by a worker that lost its broker
        assert moved.outcome == "virtualized"
        office.product.kill()
        postgres.kill()

        for caller in ("desk003", "desk004"):  # as last pushed
            office.reaches(caller, "001", "desk002")
        assert office.reaches("desk002", "003", "desk003") == ("001", "Person 001")
        office.reaches_nobody("desk001", "002")
        with _at_most(5):
            assert office.dial_center("desk001", "*30").prompts == ["im-sorry", "please-try-call-later"]
    finally:
        if not postgres.running:
            postgres.start()
        rabbitmq.nodes[0].start()
        office.product.kill()
        office.product.start()
    _comes_back(office)
    office.agree()
    office.reaches("desk001", "003", "desk004")


def _knows_no_broker(log: Path, logged: int) -> bool:
    return b"broker_lost" in log.read_bytes()[logged:]


def _comes_back(office: Office) -> None:
    """Nobody restarts anything: `*30` works again by itself."""
    wait_until(lambda: office.call("desk003", "*30004").outcome == "dropped", "*30 works again", 30)
    wait_until(lambda: _has_database(office), "the test has its database again")


def _has_database(office: Office) -> bool:
    try:
        return office.world.now() is not None
    except DatabaseUnavailable:
        return False


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds
