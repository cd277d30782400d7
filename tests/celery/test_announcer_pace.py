"""How often changes are told: at once when there are few, and no more often than a full machine can afford."""

from __future__ import annotations

import pytest

from tasks.announcer import BUSY_PAUSE, FEWEST_WAKE_UPS, MOST_WAKE_UPS, pause_after


@pytest.mark.parametrize("nodes", [1, 2, 16, 64, 200])
def test_the_pause_grows_with_the_changes_between_its_bounds(nodes: int) -> None:
    pauses = [pause_after(changes, nodes) for changes in (1, 10, 100, 1_000, 100_000)]
    assert pauses == sorted(pauses)
    assert min(pauses) == nodes / MOST_WAKE_UPS
    assert max(pauses) == pytest.approx(max(nodes / FEWEST_WAKE_UPS, BUSY_PAUSE))


def test_twenty_moves_a_second_are_few_and_sixty_are_many() -> None:
    assert pause_after(20 * 5, 2) == pause_after(5, 2) < 0.01
    assert pause_after(60 * 5, 16) == pytest.approx(16 / FEWEST_WAKE_UPS)
