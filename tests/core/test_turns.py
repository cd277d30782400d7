"""Wake-ups of a node that is being pushed to."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from roost.nodes.converge_together import PATIENCE
from tasks.turns import ANOTHERS_TURN, Turns

DEADLINE = 20


def test_who_comes_during_a_push_does_not_wait_and_the_push_is_made_once_more() -> None:
    """Three come, and one push more tells the node all that they came for."""
    pushed: list[str] = []
    begun, goes_on = threading.Event(), threading.Event()

    def push(node: str) -> bool:
        pushed.append(node)
        begun.set()
        return goes_on.wait(DEADLINE)

    turns = Turns(push)
    with ThreadPoolExecutor(1) as another:
        first = another.submit(turns.take, "n1")
        assert begun.wait(DEADLINE)
        for _ in range(3):
            turns.take("n1")
        assert pushed == ["n1"]
        goes_on.set()
        first.result(DEADLINE)
    assert pushed == ["n1", "n1"]
    turns.take("n1")
    assert pushed == ["n1"] * 3


@pytest.mark.parametrize("held", [1, 2, 100])
def test_a_node_that_another_process_holds_is_tried_again_until_that_one_must_have_ended(held: int) -> None:
    """It may hold the row for as long as it waits for the slowest of several nodes."""
    pushed: list[str] = []
    rests: list[float] = []

    def push(node: str) -> bool:
        pushed.append(node)
        return len(pushed) > held

    Turns(push, rests.append).take("n1")
    assert len(pushed) == min(held, len(ANOTHERS_TURN)) + 1
    assert rests == list(ANOTHERS_TURN[:held])
    assert sum(ANOTHERS_TURN) > PATIENCE


def test_a_push_that_fails_keeps_no_later_one_out() -> None:
    pushed: list[str] = []

    def push(node: str) -> bool:
        pushed.append(node)
        if len(pushed) == 1:
            raise RuntimeError
        return True

    turns = Turns(push)
    with pytest.raises(RuntimeError):
        turns.take("n1")
    turns.take("n1")
    assert len(pushed) == 2


def test_the_turns_of_several_nodes_begin_together_and_end_one_by_one() -> None:
    pushed: list[str] = []

    def push(node: str) -> bool:
        pushed.append(node)
        return True

    turns = Turns(push)
    assert turns.begin(["n1", "n2", "n1"]) == ["n1", "n2"]
    assert turns.begin(["n2", "n3"]) == ["n3"]
    assert turns.end("n1")
    assert not turns.end("n2"), "somebody came for it"
    turns.go_on("n2")
    assert pushed == ["n2"]
    turns.take("n3")
    assert pushed == ["n2"], "its turn has not ended"
    turns.give_up("n3")
    turns.take("n3")
    turns.take("n1")
    assert pushed == ["n2", "n3", "n1"]
