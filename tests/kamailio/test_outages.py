"""What people at phones of a Kamailio hear, and who rings, while parts of Roost are down. `test_restart` has the rest: a Kamailio alone."""

from __future__ import annotations

import pytest

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from roost.errors import DatabaseUnavailable
from tests.cluster import wait_until
from tests.kamailio.mixed_office import MixedOffice

UNAVAILABLE = ("unavailable", ["sorry", "please-try-call-later"])


def test_a_kamailio_that_is_dead_costs_the_others_nothing_and_learns_all_when_it_is_back(
    office: MixedOffice,
) -> None:
    office.sit("001", "desk002")
    k2 = office.telephony.kamailios["k2"]
    k2.kill()
    try:
        office.reaches("desk001", "003", "desk003")
        office.reaches("desk004", "003", "desk003")
        assert office.hears_mailbox("desk003", "001") == "unavailable"
        assert office.world.move("001", "desk004").outcome == "virtualized"
        wait_until(lambda: _k1_rings_at(office, "0001*001", "n1"), "k1 knows")
        office.reaches("desk003", "001", "desk004")
    finally:
        k2.start()
    office.telephony.register("k2")
    office.agree()
    office.reaches("desk002", "001", "desk004")
    office.reaches("desk003", "002", "desk002")


@pytest.mark.parametrize("part", ["RabbitMQ", "PostgreSQL"])
def test_without_it_calls_are_routed_and_star_30_says_that_it_is_unavailable(
    office: MixedOffice, postgres: Postgres, rabbitmq: RabbitCluster, part: str
) -> None:
    office.sit("001", "desk002")
    rabbitmq.pause() if part == "RabbitMQ" else postgres.kill()
    try:
        heard = office.dial_center("desk003", "*30001")
        assert (heard.outcome, heard.prompts) == UNAVAILABLE
        office.reaches("desk003", "001", "desk002")
        assert office.reaches("desk002", "004", "desk004") == ("001", "Person 001")
    finally:
        rabbitmq.resume() if part == "RabbitMQ" else postgres.start()
    wait_until(lambda: office.call("desk003", "*30").outcome == "nothing_to_return", "*30 works again", 30)
    wait_until(lambda: _has_database(office), "the test has its database again")


def _k1_rings_at(office: MixedOffice, extension: str, node: str) -> bool:
    return getattr(office.node_holds("k1").get(("e", extension)), "node", "") == node


def _has_database(office: MixedOffice) -> bool:
    try:
        return office.world.now() is not None
    except DatabaseUnavailable:
        return False
