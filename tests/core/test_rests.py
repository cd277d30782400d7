"""How audits rest between their pieces."""

from __future__ import annotations

import pytest

from tasks.auditing import LONGEST_REST, MOVING, REST, REST_ALONE, SHORT, Rests


def test_while_people_move_an_audit_rests_long_after_each_piece_also_after_one_that_saw_no_move() -> None:
    """Pieces are shorter than the time between two moves."""
    now, slept = [100.0], list[float]()
    rests = Rests(slept.append, lambda: now[0])
    rests.rest(0.01)
    rests.pushed()
    for _ in range(3):
        now[0] += MOVING / 4
        rests.rest(0.01)
    now[0] += MOVING
    rests.rest(0.01)
    rests.pushed()
    rests.rest(100)
    alone, moving = 0.01 * REST_ALONE, 0.01 * REST
    assert slept == pytest.approx([alone, moving, moving, moving, alone, LONGEST_REST])


def test_a_long_piece_is_met_by_few_moves() -> None:
    """Ten times as long, it rests a hundred times as long: a page of a large node's keys cannot be cut up."""
    slept = list[float]()
    rests = Rests(slept.append, lambda: 0.0)
    rests.pushed()
    rests.rest(SHORT)
    rests.rest(10 * SHORT)
    assert slept == pytest.approx([SHORT * REST, 100 * SHORT * REST])
