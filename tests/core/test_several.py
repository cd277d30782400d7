"""What becomes of the nodes of one message when some are late, and when this process ends or fails meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from roost.nodes.converge import Converged
from roost.nodes.holding import PushFailed
from tasks.several import Several
from tasks.turns import Turns
from tests.cluster import wait_until
from tests.core.pushed_node import number_all
from tests.core.pushed_together import DEADLINE, NAMES, Cluster

_FENCED = "SELECT count(*) FROM pbx_node WHERE written_until IS NOT NULL"


class Worker:
    """As the push worker puts it together, with few threads."""

    def __init__(
        self, cluster: Cluster, hands: ThreadPoolExecutor, push: Callable[[str], bool] | None = None
    ) -> None:
        self.told: dict[str, Converged | PushFailed] = {}
        self.turns = Turns(push or (lambda node: cluster.push(node) is not None))
        self.several = Several(self.turns, cluster.together, self.told.__setitem__, hands)

    def has_turn(self, node: str) -> bool:
        """Whether nobody of this process is at the node."""
        mine = self.turns.begin([node])
        for each in mine:
            self.turns.end(each)
        return bool(mine)


def test_a_late_node_takes_no_thread_from_those_that_want_a_push_of_their_own(cluster: Cluster) -> None:
    goes_on = cluster.hold_up("n2")
    cluster.world.sql("UPDATE pbx_node SET resync = true WHERE name = 'n3'")
    cluster.move()
    number_all(cluster.world.database)
    with ThreadPoolExecutor(1) as hand, ThreadPoolExecutor(1) as another:
        worker = Worker(cluster, hand)
        pushing = another.submit(worker.several.push, ["n1", "n2"])
        wait_until(lambda: cluster.world.value(_FENCED) == 1, "n2 is late", DEADLINE)
        worker.several.push(["n3"])
        assert cluster.noted() == {"n1": (9, 0), "n2": (6, 0), "n3": (9, 0)}
        goes_on.set()
        pushing.result(DEADLINE)
    assert worker.told == {"n1": Converged(9, 3)}
    assert cluster.noted()["n2"] == (9, 0)


def test_a_node_that_is_still_written_keeps_its_turn_though_no_thread_can_be_had(cluster: Cluster) -> None:
    goes_on = cluster.hold_up("n2")
    cluster.move()
    number_all(cluster.world.database)
    hands = ThreadPoolExecutor(1)
    hands.shutdown()
    worker = Worker(cluster, hands)
    cluster.world.sql("UPDATE pbx_node SET resync = true WHERE name = 'n3'")
    with ThreadPoolExecutor(1) as another:
        pushing: Future[None] = another.submit(worker.several.push, list(NAMES))
        with pytest.raises(TimeoutError):
            pushing.exception(2)
        assert not worker.has_turn("n2")
        goes_on.set()
        assert isinstance(pushing.exception(DEADLINE), RuntimeError)
    assert all(map(worker.has_turn, NAMES))
    assert cluster.world.value(_FENCED) == 0


class OneThread(ThreadPoolExecutor):
    """The system lets it start one thread, and no second."""

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._threads:
            raise RuntimeError
        return super().submit(*args, **kwargs)


def test_a_push_that_goes_on_keeps_its_turn_though_no_further_thread_can_be_had(cluster: Cluster) -> None:
    goes_on = Event()
    cluster.world.sql("UPDATE pbx_node SET resync = true")
    with OneThread() as hands:
        worker = Worker(cluster, hands, lambda _node: goes_on.wait(DEADLINE))
        with pytest.raises(RuntimeError):
            worker.several.push(list(NAMES))
        assert [name for name in NAMES if worker.has_turn(name)] == ["n2", "n3"]
        goes_on.set()
    assert worker.has_turn("n1")
