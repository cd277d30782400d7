"""What counts as growth: more of something, in one process, in the last third of a long run than in the middle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaos.resources import LONG, Sample, Used, grown

_SAMPLES = 12


def curve(used: Callable[[int], Used], *, seconds: float = 2 * LONG) -> list[Sample]:
    """A run of twelve looks at one process."""
    every = seconds / (_SAMPLES - 1)
    return [
        Sample(n * every, load=1.0, threads=0, sockets=0, memory=0, processes={"center1": used(n)})
        for n in range(_SAMPLES)
    ]


@pytest.mark.parametrize("what", ["threads", "sockets", "memory"])
def test_a_process_that_uses_ever_more_is_found(what: str) -> None:
    def used(n: int) -> Used:
        leaks = {"threads": 8, "sockets": 10, "memory": 90} | {what: 100 + 10 * n}
        return Used(7, leaks["threads"], leaks["sockets"], leaks["memory"])

    assert grown(curve(used)) == [f"center1: {what} grew from 155 to 195"]


def test_a_thread_lost_at_each_restart_of_the_broker_is_found() -> None:
    assert grown(curve(lambda n: Used(7, 8 + n, 10, 90))) == ["center1: threads grew from 13.5 to 17.5"]


def test_warming_up_is_not_growth() -> None:
    assert grown(curve(lambda n: Used(7, min(8 + 4 * n, 20), min(10 + 4 * n, 22), 60 + min(n, 4) * 10))) == []


def test_to_and_fro_is_not_growth() -> None:
    assert grown(curve(lambda n: Used(7, 8 + n % 3, 10 + n % 2, 90 + 20 * (n % 2)))) == []


def test_a_process_that_was_started_anew_is_not_judged() -> None:
    assert grown(curve(lambda n: Used(7 if n < 10 else 8, 8 + n, 10 + n, 90 + 9 * n))) == []


def test_a_short_run_says_nothing() -> None:
    assert grown(curve(lambda n: Used(7, 8 + n, 10 + n, 90 + 9 * n), seconds=LONG / 2)) == []
