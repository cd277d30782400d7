"""What people at phones of a Kamailio hear, and who rings, while parts of Roost are down. `test_restart` has the rest: a Kamailio alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.kamailio import HTTP_PORT, PEER_PORT
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from roost.directory import Directory
from roost.errors import DatabaseUnavailable
from roost.settings import Settings
from tests.cli.command import Run, runner
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


@pytest.fixture
def roost(office: MixedOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command with the settings of the office."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ROOST_{name.upper()}", raising=False)
    for name, value in office.product.environment.items():
        monkeypatch.setenv(name, value)
    yield from runner()


def test_doctor_as_a_whole_names_what_is_wrong_at_a_kamailio_and_nothing_else(
    office: MixedOffice, roost: Run
) -> None:
    said = roost("doctor").out
    assert "k1: Kamailio " in said
    assert "0 errors, 0 warnings" in said
    directory = Directory(office.database)
    directory.change_node("k2", port=PEER_PORT)
    try:
        said = roost("doctor").out
    finally:
        directory.change_node("k2", port=HTTP_PORT)  # after which it is pushed at once
    assert f":{PEER_PORT}: It refuses the secret, or our address" in said
    assert "k1: Kamailio " in said
    assert "1 error, 0 warnings" in said
