"""Work that goes on in threads while a test does something else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from tests.cluster import wait_until

#: Rounds that each part is watched for.
ROUNDS = 15


class Load:
    """Threads that each repeat a round of work; what fails in one is kept, and ends it."""

    def __init__(self) -> None:
        self.rounds: Counter[str] = Counter()
        self.failures: list[BaseException] = []
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def add(self, name: str, work: Callable[[], object]) -> None:
        """Begin another part."""

        def run() -> None:
            try:
                while not self._over.is_set():
                    work()
                    self.rounds[name] += 1
            except BaseException as error:  # noqa: BLE001 - the test shows it
                self.failures.append(error)

        self.rounds[name] = 0
        self._threads.append(threading.Thread(target=run, name=name))
        self._threads[-1].start()

    def go_on(self) -> None:
        """Wait until each part has done ROUNDS more."""
        goal = {name: done + ROUNDS for name, done in self.rounds.items()}
        self.until(lambda: all(self.rounds[name] >= least for name, least in goal.items()))

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has come about while all parts go on."""
        wait_until(
            lambda: bool(self.failures) or condition(), f"what the load was to see; rounds: {self.rounds}", 60
        )
        assert self.failures == []

    def end(self) -> None:
        """Let each part end its round."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)
