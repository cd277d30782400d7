"""A process of callers: each sends its next request when the last one is answered. Jobs come in as lines of JSON.

A caller is no thread: the answer's callback sends the next request, so that eight callers cost what eight requests do.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from random import Random
from uuid import uuid4

from benchmarks.world import CODE, ORGANIZATION, WRONG_CODE, mover
from roost.errors import BrokerUnavailable
from roost.moves.requests import Answer, Request, Try, Virtualize
from roost.seal import seal
from roost.settings import Settings, settings
from tasks.client import Client
from workers.logs import set_up


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does: `callers` at once for `seconds`, on movers `first` to `last`."""

    kind: str
    callers: int
    seconds: float
    first: int
    last: int


@dataclass(slots=True)
class Result:
    """What came of it: latencies in milliseconds, counts of outcomes, the seconds it took."""

    seconds: float = 0
    latencies: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)


Requests = Iterator[tuple[str, Request]]

#: On which of its two phones each mover sits; absent: at home.
_place: dict[int, int] = {}

#: Movers that one caller takes in turn, anywhere in the table, so that a large table is felt as one.
_IN_TURN = 20_000


def movers(first: int, last: int) -> Iterator[int]:
    """Numbers of movers from `first` up to `last`, in no order, again and again."""
    return cycle(Random(first).sample(range(first, last), min(last - first, _IN_TURN)))


def noops(first: int, _last: int, _settings: Settings) -> Requests:
    """The same message as a bind's, to a task that touches nothing."""
    extension, phones = mover(first)
    while True:
        yield "bench.noop", _virtualize(extension, phones[0])


def binds(first: int, last: int, _settings: Settings) -> Requests:
    """Each mover in turn moves on: it leaves one phone for another, displacing nobody."""
    for number in movers(first, last):
        extension, phones = mover(number)
        yield "roost.virtualize", _virtualize(extension, phones[_move_on(number)])


def verified(first: int, last: int, settings: Settings) -> Requests:
    """As `binds`, with the right code keyed in a call."""
    for number in movers(first, last):
        yield _try(number, _move_on(number), CODE, settings)


def wrong_codes(first: int, last: int, settings: Settings) -> Requests:
    """A wrong code in each call: the verify worker's whole job, and nothing after it."""
    for number in movers(first, last):
        yield _try(number, _other_place(number), WRONG_CODE, settings)


def _move_on(number: int) -> int:
    _place[number] = _other_place(number)
    return _place[number]


def _other_place(number: int) -> int:
    return 1 - _place.get(number, 1)


def _virtualize(extension: str, phone: str) -> Virtualize:
    return Virtualize(
        request_id=uuid4().hex, origin="api", made_at=datetime.now(UTC), organization=ORGANIZATION, phone=phone,
        number=extension,
    )  # fmt: skip


def _try(number: int, place: int, digits: str, settings: Settings) -> tuple[str, Try]:
    extension, phones = mover(number)
    request_id = uuid4().hex
    return "roost.verify", Try(
        request_id=request_id, made_at=datetime.now(UTC), call=uuid4().hex, number=extension,
        phone=phones[place], sealed_code=seal(settings.need("seal_public_key"), request_id, digits),
    )  # fmt: skip


KINDS: dict[str, Callable[[int, int, Settings], Requests]] = {
    "noop": noops, "bind": binds, "verify": verified, "wrong_code": wrong_codes,
}  # fmt: skip


class Callers:
    """Runs one job: every caller has movers of its own."""

    def __init__(self, client: Client, job: Job) -> None:
        self._client = client
        self._result = Result()
        self._outcomes: Counter[str] = Counter()
        self._busy = job.callers
        self._done = threading.Event()
        self._lock = threading.Lock()
        share = (job.last - job.first) // job.callers
        starts = [job.first + share * n for n in range(job.callers)]
        self._requests = [KINDS[job.kind](start, start + share, settings()) for start in starts]
        self._ends = time.monotonic() + job.seconds
        self._job = job

    def run(self) -> Result:
        """Until the time is over and the last is answered."""
        began = time.monotonic()
        for requests in self._requests:
            self._next(requests)
        if not self._done.wait(self._job.seconds + 60):
            raise TimeoutError("callers did not end")
        self._result.seconds = time.monotonic() - began
        self._result.outcomes = dict(self._outcomes)
        return self._result

    def _next(self, requests: Requests) -> None:
        if time.monotonic() >= self._ends:
            with self._lock:
                self._busy -= 1
                if not self._busy:
                    self._done.set()
            return
        task, request = next(requests)
        sent = time.perf_counter()

        def heard(future: Future[Answer]) -> None:
            self._result.latencies.append((time.perf_counter() - sent) * 1e3)
            try:
                self._outcomes[future.result().outcome.value] += 1
            except BrokerUnavailable:
                self._outcomes["unanswered"] += 1
            self._next(requests)

        self._client.submit(task, request, deadline=20).add_done_callback(heard)


def main() -> None:
    """Answer each line with a line."""
    set_up(settings())
    with Client(settings()) as client:
        for line in sys.stdin:
            print(json.dumps(asdict(Callers(client, Job(**json.loads(line))).run())), flush=True)


if __name__ == "__main__":
    main()
