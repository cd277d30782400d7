"""One step of the story: somebody does something, the nodes are watched, and all is checked and shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from demo.calls import CallFailed, Heard, Telephones
from demo.cast import Cast, Person
from demo.checks import Checks
from demo.nodes import Follower, Nodes, await_view
from demo.screen import Screen

#: A node that does not know of a move after so many seconds has failed the check.
_NODES_WITHIN = 10.0
_ASKED = {
    0: "no code was asked for",
    1: "the code was asked for once",
    3: "the code was asked for three times",
}


class Stage:
    """Knows who sits where: `seats` is phone -> number."""

    def __init__(
        self, cast: Cast, nodes: Nodes, telephones: Telephones, screen: Screen, checks: Checks
    ) -> None:
        self.cast = cast
        self.seats: dict[str, str] = {}
        self.telephones = telephones
        self.screen = screen
        self._checks = checks
        self._nodes = nodes

    def tell(self, title: str, *sentences: str) -> None:
        """What happens next, before it happens."""
        self.screen.title(title)
        for sentence in sentences:
            self.screen.tell(sentence)

    def see(self, right: bool, what: str) -> None:  # noqa: FBT001 - a sentence
        """Something else that somebody saw."""
        self._checks.check(right, what)

    def look(self) -> None:
        """Show and check where everybody is."""
        self._watch(self.seats, lambda: None)

    def center(
        self, phone: str, dialled: str, *codes: str, outcome: str, seats: Mapping[str, str], asked: int = 0
    ) -> None:
        """A call to the center: its outcome, and who sits where afterwards."""

        def act() -> Heard:
            heard = self.telephones.dial_center(phone, dialled, codes)
            waited = f"{heard.took * 1000:.0f} ms"
            self._checks.check(
                heard.outcome == outcome, f"{phone} dials {dialled} and hears after {waited}: {heard.outcome}"
            )
            self._checks.check(heard.asked == asked, f"{_ASKED[asked]}")
            return heard

        self._watch(seats, act)

    def race(self, phone: str, racers: Sequence[tuple[Person, str]]) -> Person:
        """Each (person, node) asks for the phone and keys the code, all at once. Who won; raises CallFailed."""
        together = threading.Barrier(len(racers))
        heard: dict[str, Heard] = {}
        failures: list[CallFailed] = []

        def run(person: Person, node: str) -> None:
            try:
                heard[person.number] = self.telephones.dial_center(
                    phone, f"*30{person.number}", [person.code or ""], node=node, at_once=together
                )
            except CallFailed as error:
                together.abort()
                failures.append(error)

        with self._nodes.followed() as followers:
            threads = [threading.Thread(target=run, args=racer, daemon=True) for racer in racers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if failures:
                raise failures[0]
            for person, node in racers:
                mine = heard[person.number]
                waited = f"{mine.took * 1000:.0f} ms"
                self.screen.tell(f"{person.name}, through {node}, hears after {waited}: {mine.outcome}")
            winners = [person for person, _ in racers if heard[person.number].outcome == "virtualized"]
            refused = [person for person, _ in racers if heard[person.number].outcome == "occupied"]
            self._checks.check(len(winners) == 1, "exactly one got the phone")
            self._checks.check(len(refused) == len(racers) - 1, "the other heard that it is occupied")
            if not winners:
                raise CallFailed("Nobody got the phone.")
            winner = winners[0]
            self._compare(followers, {**self.seats, phone: winner.number}, heard[winner.number])
        return winner

    def call(self, caller: Person, number: str, *, rings: str | None) -> None:
        """A colleague dials an extension, at the phone where that colleague is."""
        phone = next((phone for phone, guest in self.seats.items() if guest == caller.number), caller.phone)
        reached = self.telephones.dial(phone, number)
        self._checks.check(reached.phone == rings, f"{caller.name} dials {number}: {rings or 'nobody'} rings")
        if rings:
            self._checks.check(reached.shows == caller.number, f"it shows the caller as {caller.number}")

    def _watch(self, seats: Mapping[str, str], act: Callable[[], Heard | None]) -> None:
        with self._nodes.followed() as followers:
            heard = act()
            self._compare(followers, seats, heard)

    def _compare(
        self, followers: Mapping[str, Follower], seats: Mapping[str, str], heard: Heard | None
    ) -> None:
        """Wait for the nodes; check and show what they hold."""
        before, wanted = self.cast.view(self.seats), self.cast.view(seats)
        await_view(followers, wanted, _NODES_WITHIN)
        for name, follower in followers.items():
            wrong = f" (it says: {follower.failure})" if follower.failure else ""
            told = f"node {name} has everybody where they are{wrong}"
            self._checks.check(follower.since(wanted) is not None, told, quietly=True)
        milliseconds = None
        if heard is not None and wanted != before:
            milliseconds = {
                name: _after(heard, follower.since(wanted)) for name, follower in followers.items()
            }
        views = {name: follower.view for name, follower in followers.items()}
        self.screen.rings(self.cast, views, wanted, before, milliseconds)
        self.seats = dict(seats)


def _after(heard: Heard, since: float | None) -> float | None:
    return None if since is None else (since - heard.answered_at) * 1000
