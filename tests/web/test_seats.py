"""The places for viewers of live pages: nobody takes those of all."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from roost.people.access import Asker, Right
from roost.people.networks import network_of
from roost.people.revocation import Credential
from workers.web.live.seats import Seats, TooManyViewers
from workers.web.live.stream import Watching
from workers.web.metrics import Metrics

MOST = 40


def watcher(person: str, address: str) -> Watching:
    return Watching(Credential(person.encode(), Asker(person, person, "web", Right.READ)), address)


def take_all(seats: Seats, stack: ExitStack, who: Watching) -> int:
    """Take seats until there is none for this one; how many."""
    for taken in range(MOST + 1):
        try:
            stack.enter_context(seats.taken(who))
        except TooManyViewers:
            return taken
    raise AssertionError("no end of seats")


def test_one_person_takes_a_quarter_and_others_find_a_place() -> None:
    seats = Seats(Metrics(), most=MOST)
    with ExitStack() as stack:
        assert take_all(seats, stack, watcher("person:1", "192.0.2.1")) == MOST // 4
        assert take_all(seats, stack, watcher("person:2", "192.0.2.2")) == MOST // 4


def test_one_address_takes_a_half_however_many_people_are_there() -> None:
    seats = Seats(Metrics(), most=MOST)
    with ExitStack() as stack:
        taken = sum(take_all(seats, stack, watcher(f"person:{n}", "192.0.2.1")) for n in range(10))
        assert taken == MOST // 2


def test_the_total_is_exact_and_a_place_is_free_again() -> None:
    seats = Seats(Metrics(), most=MOST)
    with ExitStack() as stack:
        taken = sum(take_all(seats, stack, watcher(f"person:{n}", f"192.0.2.{n}")) for n in range(10))
        assert taken == MOST
        with pytest.raises(TooManyViewers), seats.taken(watcher("person:11", "192.0.2.11")):
            pass
    with seats.taken(watcher("person:11", "192.0.2.11")):
        pass


@pytest.mark.parametrize(
    ("host", "counts_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_of_ipv6_the_network_counts(host: str, counts_as: str) -> None:
    assert network_of(host) == counts_as
