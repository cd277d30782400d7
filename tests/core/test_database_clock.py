"""The database's time as a process without a connection believes it: never ahead of the truth for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from roost.moves.database_clock import DatabaseClock

#: The database's time when this machine's clock shows 0.
START = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Machine:
    """A machine's clock, set by hand."""

    def __init__(self) -> None:
        self.shows = 0.0
        self.clock = DatabaseClock(lambda: self.shows)

    def hear(self, seconds: float, *, trust: bool = False) -> None:
        """An answer says that it is so many seconds after START."""
        self.clock.observe(START + timedelta(seconds=seconds), trust=trust)

    def believes(self) -> float | None:
        """How many seconds after START it is."""
        now = self.clock.now()
        return None if now is None else (now - START).total_seconds()


def test_of_several_answers_the_quickest_counts() -> None:
    machine = Machine()
    assert machine.believes() is None
    machine.hear(-0.5)
    machine.shows = 10
    assert machine.believes() == 9.5
    machine.hear(10)
    machine.hear(9.2)
    assert machine.believes() == 10
    machine.hear(9.2, trust=True)
    assert machine.believes() == 9.2


def test_a_database_whose_clock_was_set_back_is_believed() -> None:
    machine = Machine()
    machine.hear(0)
    machine.hear(-60)
    assert machine.believes() == -60


def test_a_machine_whose_clock_runs_ahead_is_put_right_by_the_first_answer_after_a_while() -> None:
    machine = Machine()
    machine.hear(0)
    machine.shows = 29
    machine.hear(28.9)
    assert machine.believes() == 29
    machine.shows = 36_000
    assert machine.believes() == 36_000
    machine.hear(35_998.9)
    assert machine.believes() == 35_998.9


def test_what_was_heard_is_good_for_half_a_minute() -> None:
    machine = Machine()
    assert machine.clock.good_now() is None
    machine.hear(0)
    machine.shows = 29
    assert machine.clock.good_now() == machine.clock.now()
    machine.shows = 31
    assert machine.clock.good_now() is None
    assert machine.clock.now() is not None
