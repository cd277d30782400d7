"""How often changes are told: at once when there are few, and no more often than a full machine can afford."""

from __future__ import annotations

import pytest

from tasks.announcer import BUSY_PAUSE, FEWEST_WAKE_UPS, MANY_CHANGES, MOST_WAKE_UPS, Announcer, pause_after
from tests.cluster import wait_until
from tests.world import World


@pytest.mark.parametrize("nodes", [1, 2, 16, 64, 200])
def test_the_pause_grows_with_the_changes_between_its_bounds(nodes: int) -> None:
    pauses = [pause_after(changes, nodes) for changes in (1, 10, 100, 1_000, 100_000)]
    assert pauses == sorted(pauses)
    assert min(pauses) == nodes / MOST_WAKE_UPS
    assert max(pauses) == pytest.approx(max(nodes / FEWEST_WAKE_UPS, BUSY_PAUSE))


def test_twenty_moves_a_second_are_few_and_sixty_are_many() -> None:
    assert pause_after(20 * 5, 2) == pause_after(5, 2) < 0.01
    assert pause_after(60 * 5, 16) == pytest.approx(16 / FEWEST_WAKE_UPS)


def test_who_ends_in_a_pause_announces_what_was_committed_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.announcer.BUSY_PAUSE", 60.0)  # longer than the test
    world.office("001", "002")
    world.sql("UPDATE pbx_node SET enabled = false")  # nobody is to be woken
    announcer = Announcer(world.database)
    try:
        changes = "INSERT INTO route_dirty (key, organization_id) SELECT 'e/0001*' || i, id FROM organization, generate_series(1, %s) i"
        world.sql(changes, 2 * MANY_CHANGES)
        announcer.changed()
        wait_until(lambda: world.value("SELECT count(*) FROM route_dirty") == 0, "the pause has begun")
        world.sit("001", "desk002")
        announcer.changed()
    finally:
        announcer.close()
    assert world.value("SELECT count(*) FROM route_dirty") == 0
