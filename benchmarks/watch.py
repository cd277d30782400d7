"""Sees when every node has what it should: asks the nodes themselves, again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Self

from benchmarks.raw_ami import RawAmi
from benchmarks.raw_kamailio import RawKamailio
from roost.pbx.node import NodeAddress

#: Between two rounds of questions, in seconds: what is seen is late by half of it.
_PAUSE = 0.0005
#: Of all that is awaited, only the oldest so many are asked for, so that asking costs the nodes little.
_OLDEST = 8


@dataclass(slots=True)
class _Awaited:
    key: str
    value: str
    missing: set[str]
    ends: float
    seen: Future[float] = field(default_factory=Future)


class Watcher:
    """A thread with a connection to each node. Use as a context manager."""

    def __init__(self, nodes: Mapping[str, NodeAddress], *, deadline: float = 120) -> None:
        self._nodes = {name: _connect(address) for name, address in nodes.items()}
        self._deadline = deadline
        self._awaited: list[_Awaited] = []
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout=30)
        for node in self._nodes.values():
            node.close()

    def expect(self, key: str, value: str) -> Future[float]:
        """When (by `time.perf_counter`) the last node was seen to have the value; TimeoutError after the deadline."""
        awaited = _Awaited(key, value, set(self._nodes), time.monotonic() + self._deadline)
        with self._changed:
            self._awaited.append(awaited)
            self._changed.notify()
        return awaited.seen

    def _run(self) -> None:
        try:
            while not self._closing:
                with self._changed:
                    self._changed.wait_for(lambda: self._awaited or self._closing)
                    waiting = list(self._awaited)
                self._ask(waiting)
                with self._changed:
                    self._awaited = [a for a in self._awaited if not a.seen.done()]
                time.sleep(_PAUSE)
        except OSError as error:
            for awaited in self._awaited:
                if not awaited.seen.done():
                    awaited.seen.set_exception(error)

    def _ask(self, waiting: list[_Awaited]) -> None:
        asked = {
            name: list(islice((a for a in waiting if name in a.missing), _OLDEST)) for name in self._nodes
        }
        for name, some in asked.items():
            if some:
                self._nodes[name].send_gets([a.key for a in some])
        for name, some in asked.items():
            found = self._nodes[name].read_gets(len(some)) if some else {}
            for a in some:
                if found.get(a.key) == a.value:
                    a.missing.discard(name)
        now = time.perf_counter()
        for a in waiting:
            if not a.missing:
                a.seen.set_result(now)
            elif time.monotonic() > a.ends:
                a.seen.set_exception(TimeoutError(f"{a.key} is not {a.value} on {sorted(a.missing)}"))


def _connect(address: NodeAddress) -> RawAmi | RawKamailio:
    return RawKamailio(address) if address.kind == "kamailio" else RawAmi(address)
