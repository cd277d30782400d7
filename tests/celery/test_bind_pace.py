"""When a bind worker waits for more moves to come: never for one that comes alone, and once after several. When it settles more at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tasks.together import ENOUGH, HELD_PAUSE, MOST, PAUSE, Job, Together

#: What a move asks is no matter here.
ANY: Any = None


def a_move() -> Job:
    return Job(ANY, ANY, lambda: None, lambda: None, time.monotonic())


class Bind:
    """A bind worker whose moves are settled at once, and whose rests are over at once. `came` holds what comes during each step.

    What begins during a step is worked on within it: so much for another thread.
    """

    def __init__(self) -> None:
        self.steps: list[int | str] = []
        self.came: list[int] = []
        self._begun: list[Callable[[], None]] = []
        self._together = Together(self._begun.append, self, self._rest)

    def receive(self, moves: int) -> None:
        for _ in range(moves):
            self._together.add(a_move())

    def work(self) -> list[int | str]:
        """Until nothing waits: how many moves were settled together each time, and when it rested."""
        while self._begun:
            self._begun.pop()()
        steps, self.steps = self.steps, []
        return steps

    def settle(self, jobs: list[Job], *, skip_held: bool) -> list[Job]:
        self.steps.append(len(jobs))
        self._next_come()
        return []

    def give_up(self, jobs: list[Job]) -> None:
        raise AssertionError(jobs)

    def _rest(self, seconds: float) -> None:
        assert seconds == PAUSE
        self.steps.append("rest")
        self._next_come()

    def _next_come(self) -> None:
        if self.came:
            self.receive(self.came.pop(0))
            while self._begun:
                self._begun.pop()()


class Begun:
    """Threads that have begun do nothing until a test runs them; `held` are the jobs that need a row which somebody holds."""

    def __init__(self) -> None:
        self.begun: list[Callable[[], None]] = []
        self.settled: list[list[Job]] = []
        self.skipped_held: list[bool] = []
        self.given_up: list[Job] = []
        self.held: list[Job] = []
        self.rests: list[Callable[[], object]] = []
        self.together = Together(self.begun.append, self, self._rest)

    def receive(self, *jobs: Job) -> None:
        for job in jobs:
            self.together.add(job)

    def run(self) -> None:
        self.begun.pop()()

    def settle(self, jobs: list[Job], *, skip_held: bool) -> list[Job]:
        self.settled.append([job for job in jobs if job not in self.held])
        self.skipped_held.append(skip_held)
        return [job for job in jobs if job in self.held]

    def give_up(self, jobs: list[Job]) -> None:
        self.given_up += jobs

    def _rest(self, seconds: float) -> None:
        if seconds == HELD_PAUSE and self.rests:
            self.rests.pop(0)()
            time.sleep(HELD_PAUSE)


def test_a_move_that_comes_alone_never_waits() -> None:
    bind = Bind()
    for _ in range(3):
        bind.receive(1)
        assert bind.work() == [1]
    bind.receive(1)
    bind.came = [1, 1]
    assert bind.work() == [1, 1, 1]


def test_after_several_it_rests_once_so_that_more_come_together() -> None:
    bind = Bind()
    bind.receive(3)
    bind.came = [1, 2]  # while they are settled, and in the rest
    assert bind.work() == [3, "rest", 3, "rest"]
    bind.receive(1)
    assert bind.work() == [1]


def test_it_does_not_rest_while_as_many_wait_as_were_settled() -> None:
    bind = Bind()
    bind.receive(3)
    bind.came = [3]
    assert bind.work() == [3, 3, "rest"]


def test_more_are_settled_at_the_same_time_when_enough_wait() -> None:
    bind = Bind()
    bind.receive(1)
    bind.came = [ENOUGH]
    assert bind.work() == [1, ENOUGH, "rest"]
    bind.receive(1)
    bind.came = [ENOUGH - 1]
    assert bind.work() == [1, ENOUGH - 1, "rest"]


def test_no_third_begins_and_each_ends() -> None:
    bind = Begun()
    bind.receive(*(a_move() for _ in range(3 * MOST)))
    assert len(bind.begun) == 2
    bind.run()
    assert [len(jobs) for jobs in bind.settled] == [MOST] * 3
    bind.receive(a_move())
    assert len(bind.begun) == 1, "the other has not looked yet"
    bind.run()
    assert [len(jobs) for jobs in bind.settled] == [MOST] * 3 + [1]
    bind.receive(a_move())
    assert len(bind.begun) == 1
