"""Audits of nodes beside the pushes of a push worker: one at a time, and one of a node whose kind asks for them often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from roost.database import Database
from roost.errors import DatabaseUnavailable, NodeRefused, NodeUnavailable
from roost.nodes.audit import Audited, audit
from roost.nodes.converge import fail
from roost.nodes.holding import Nodes, PushFailed
from tasks.measures import MENDED
from tasks.outages import DATABASE

#: After each piece an audit rests so many times as long as that took: while people move, and while nobody does.
REST, REST_ALONE = 3.0, 0.3
#: People move as long as no more seconds have passed since a node was told something. A piece takes hundredths of one: of twenty moves a
#: second, every other piece would see none, and the next would not rest.
MOVING = 1.0
#: Seconds of a piece that a move hardly notices. A longer one, such as a page of all that a node has, rests as many times longer as it is
#: longer than this: so moves that have to wait long are few, while people move.
SHORT = 0.01
#: Seconds of rest at most: who is silent for long is taken for dead (AUDIT_SILENCE).
LONGEST_REST = 5.0

log = structlog.get_logger(__name__)


class ProcessEnds(Exception):
    """The process was told to end: another goes on with the audit."""


class Rests:
    """The rests between an audit's pieces, which leave the nodes and this process to the moves."""

    def __init__(
        self, sleep: Callable[[float], object] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._pushed_at = float("-inf")

    def pushed(self) -> None:
        """A node was told something: somebody moves."""
        self._pushed_at = self._clock()

    def rest(self, took: float) -> None:
        """After a piece that took so many seconds."""
        moving = self._clock() - self._pushed_at < MOVING
        times = REST * max(1.0, took / SHORT) if moving else REST_ALONE
        self._sleep(min(LONGEST_REST, times * took))


class Auditor:
    """Audits the nodes it is told of, each once, in order. What is lost with the process is gone on with by another.

    Those that are audited often wait for each other alone: the audit of a large or slow node may take minutes, and theirs mend within seconds
    what people at their phones see.

    `push` brings a node up to date: asked for when pushes may have found it taken by an audit. `tell` hears of a failure that an audit met
    first: the push that meets it again takes it for known. Once `ending` is set, the audit that goes on
    ends with its piece, and no other begins: Python waits for all that was submitted to a pool before it ends.
    """

    def __init__(
        self,
        database: Database,
        nodes: Nodes,
        retry_max: float,
        push: Callable[[str], object],
        ending: threading.Event,
        tell: Callable[[str, PushFailed], None],
    ) -> None:
        self._database = database
        self._nodes = nodes
        self._retry_max = retry_max
        self._push = push
        self._one = ThreadPoolExecutor(1, "audit")
        self._one_of_often = ThreadPoolExecutor(1, "frequent-audit")
        self._waiting: set[str] = set()
        self._rests = Rests(ending.wait)
        self._ending = ending
        self._tell = tell
        self._lock = threading.Lock()

    def ask(self, node: str, *, often: bool = False) -> None:
        """Have the node audited, unless it is being audited, or waits for that, already."""
        with self._lock:
            if node in self._waiting:
                return
            self._waiting.add(node)
        (self._one_of_often if often else self._one).submit(self._audit, node)

    def pushed(self) -> None:
        """A node was told something: audits go slowly for a while."""
        self._rests.pushed()

    def _rest(self, took: float) -> None:
        self._rests.rest(took)
        if self._ending.is_set():
            raise ProcessEnds

    def _audit(self, node: str) -> None:
        if self._ending.is_set():
            return
        try:
            found = audit(
                self._database,
                node,
                self._nodes,
                self._retry_max,
                self._rest,
                partial(self._push, node),
            )
            if isinstance(found, PushFailed):
                self._tell(node, found)
            if isinstance(found, Audited):
                MENDED.labels(node).inc(found.drift)
                if found.drift:
                    log.warning("node_drifted", node=node, mended=found.drift)
        except ProcessEnds:
            log.info("audit_left", node=node)
        except (NodeUnavailable, NodeRefused) as error:
            if failed := fail(self._database, node, self._nodes, self._retry_max, error):
                self._tell(node, failed)
            log.warning("audit_broke_off", node=node, error=str(error))
        except DatabaseUnavailable as error:
            DATABASE.gone(task="audit", node=node, error=str(error))
        except Exception:
            log.exception("audit_failed", node=node)
        finally:
            # Not before: until an audit has taken its node, each push finds one due, and another would follow it. What is asked for
            # meanwhile stays due.
            with self._lock:
                self._waiting.discard(node)
