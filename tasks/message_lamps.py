"""Message lamps, beside the pushes of this process: phones are told when their row changed at a node, and when they register there.

What is lost with the process is told at the next move, message or registration. Two push workers that hear of one registration tell the
phone twice, the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice

import structlog

from roost.database import Database
from roost.directory.node_options import address_of
from roost.errors import DatabaseUnavailable, NodeRefused, NodeUnavailable
from roost.nodes.holding import NodeRow, look_at
from roost.nodes.message_lamps import AT_ONCE, Reached, tell_phones
from roost.pbx.checked import CheckedNode
from roost.pbx.kinds import kind_named
from roost.pbx.messages import Registrations
from roost.pbx.node import ActsAs, Change
from roost.settings import Settings
from tasks.nodes import NodeConnections

#: Nodes that are told at the same time.
THREADS = 4
#: Phones of a node that wait to be told; of more, the others are told when they register.
MOST_WAITING = 10_000
#: Seconds: until a node or its keeper of messages that failed is tried again; until one that refused, that knows of no messages, or does not say
#: who registers, is asked again; for which what the database says of a node is believed; after the last push, until nobody listens.
RETRY, ASK_AGAIN, ROW_GOOD_FOR, LISTEN_FOR = 5.0, 60.0, 5.0, 60.0
#: One wait for registrations.
_WAIT = 5.0

log = structlog.get_logger(__name__)


class _Node:
    """What is to be told at one node, and connections for it: they are used by the one thread that tells it."""

    def __init__(self, name: str, database: Database, settings: Settings) -> None:
        self.name = name
        self.waiting: set[str] = set()
        self.in_hand: set[str] = set()
        self.busy = False
        self.failing = False
        #: Whether it is known that somebody keeps messages for it.
        self.has_keeper = False
        self.listens = False
        #: By the monotonic clock, in seconds.
        self.try_at = self.listen_at = self.pushed_at = self.knows_nobody_until = 0.0
        self._database = database
        self._settings = settings
        self._connections = NodeConnections(settings)
        self._rows: dict[str, tuple[float, NodeRow]] = {}

    def tell(self, phones: Collection[str]) -> bool:
        """As `tell_phones`; a connection that failed, or is good for nothing, is closed."""
        self.has_keeper = False
        try:
            self.has_keeper = tell_phones(self.name, phones, self._reach)
        finally:
            if not self.has_keeper:
                self._connections.close()
                self._rows.clear()
        return self.has_keeper

    def registrations(self) -> Registrations:
        """Who registers here. Raises NodeRefused when nobody can say."""
        row = self._row(self.name)
        kind = kind_named(row.kind)
        if kind.registrations is None:
            raise NodeRefused(f"{self.name} does not say who registers.")
        address = address_of(row, self._settings.private_keys)
        return kind.registrations(address, kind.parse(address.options), self._settings.node_deadline)

    def _reach(self, name: str) -> Reached:
        row = self._row(name)
        node = self._connections.open(row)
        messages = kind_named(row.kind).messages
        inside = node.inside if isinstance(node, CheckedNode) else node
        return Reached(node, messages(inside) if messages else None)

    def _row(self, name: str) -> NodeRow:
        read_at, row = self._rows.get(name, (0.0, None))
        if row is None or time.monotonic() > read_at + ROW_GOOD_FOR:
            row = look_at(self._database, name)
            if row is None:
                raise NodeUnavailable(f"{name} is not there, or does not answer.")
            self._rows[name] = time.monotonic(), row
        return row


class MessageLamps:
    """Thread-safe; `changed` and `pushed` cost their callers nothing but a look at what is to be done."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._pool = ThreadPoolExecutor(THREADS, "message-lamps")
        self._lock = threading.Lock()
        self._nodes: dict[str, _Node] = {}

    def changed(self, node: str, changes: Sequence[Change]) -> None:
        """The node took these rows."""
        self._tell(self._node(node), {change.phone for change in changes if isinstance(change, ActsAs)})

    def pushed(self, node: str) -> None:
        """The node was looked at: what could not be told is tried again, and who registers there is listened for."""
        at = self._node(node)
        at.pushed_at = time.monotonic()
        self._tell(at, ())
        with self._lock:
            if at.listens or not at.has_keeper or time.monotonic() < at.listen_at:
                return
            at.listens = True
        threading.Thread(
            target=self._listen, args=(at,), name=f"registrations of {node}", daemon=True
        ).start()

    def _node(self, name: str) -> _Node:
        with self._lock:
            if name not in self._nodes:
                self._nodes[name] = _Node(name, self._database, self._settings)
            return self._nodes[name]

    def _tell(self, at: _Node, phones: Collection[str]) -> None:
        with self._lock:
            if not at.knows_nobody_until < time.monotonic():
                return
            at.waiting.update(islice(phones, max(0, MOST_WAITING - len(at.waiting))))
            if (at.has_keeper and not at.waiting) or at.busy or time.monotonic() < at.try_at:
                return
            at.busy = True
        self._pool.submit(self._run, at)

    def _run(self, at: _Node) -> None:
        """Tell all that wait, piece by piece; nobody else does so at this node meanwhile."""
        try:
            while (phones := self._take(at)) is not None:
                if not at.tell(phones):
                    with self._lock:
                        at.knows_nobody_until = time.monotonic() + ASK_AGAIN
                        at.waiting.clear()
                        at.failing = at.busy = False
                    return
        except Exception as error:
            if not isinstance(error, NodeUnavailable | NodeRefused | DatabaseUnavailable):
                log.exception("message_lamps_failed", node=at.name)
            elif not at.failing:
                log.warning("message_lamps_failed", node=at.name, error=str(error))
            with self._lock:
                at.failing, at.busy = True, False
                at.waiting |= at.in_hand  # a piece more than MOST_WAITING, at most
                at.try_at = time.monotonic() + (ASK_AGAIN if isinstance(error, NodeRefused) else RETRY)

    def _take(self, at: _Node) -> set[str] | None:
        """Some phones, or none at first, to learn who keeps the messages; None: all are told."""
        with self._lock:
            at.in_hand = {at.waiting.pop() for _ in range(min(AT_ONCE, len(at.waiting)))}
            if at.in_hand or not at.has_keeper:
                return at.in_hand
            at.failing = at.busy = False
            return None

    def _listen(self, at: _Node) -> None:
        pause = ASK_AGAIN
        try:
            with closing(at.registrations()) as registrations:
                while at.knows_nobody_until < time.monotonic() < at.pushed_at + LISTEN_FOR:
                    if phones := registrations.wait(_WAIT):
                        self._tell(at, phones)
        except (NodeUnavailable, DatabaseUnavailable):
            pause = RETRY
        except NodeRefused:
            pass  # it does not say who registers: doctor tells why
        except Exception:
            log.exception("registrations_failed", node=at.name)
        with self._lock:
            at.listens, at.listen_at = False, time.monotonic() + pause
