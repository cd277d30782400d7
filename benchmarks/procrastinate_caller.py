"""Callers who ask by procrastinate: each defers a job, and the next when it heard the answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Self

import psycopg
from procrastinate import App, SyncPsycopgConnector

from benchmarks.caller import binds
from benchmarks.procrastinate_worker import CHANNEL, QUEUE, TASK
from roost.moves.requests import Request
from roost.settings import Settings

_DEADLINE = 30.0


class ProcrastinateCallers:
    """A context manager; `run` may be called again and again."""

    def __init__(self, settings: Settings, movers: tuple[int, int], callers: int) -> None:
        self._url = settings.need("database_url")
        self._app = App(connector=SyncPsycopgConnector(conninfo=self._url, max_size=callers))
        first, last = movers
        share = (last - first) // callers
        self._requests = [binds(first + n * share, first + (n + 1) * share, settings) for n in range(callers)]
        self._waiting: dict[str, SimpleQueue[str]] = {}
        self._closing = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._app.open()
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.join(timeout=5)
        self._app.close()

    def run(self, seconds: float) -> float:
        """Binds a second that were answered. Raises RuntimeError when one was refused or never answered."""
        done: list[int] = []
        failed: list[str] = []
        began = time.perf_counter()
        threads = [
            threading.Thread(target=self._call, args=(requests, began + seconds, done, failed))
            for requests in self._requests
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise RuntimeError(f"a bind by procrastinate came to {failed[0]}")
        return sum(done) / (time.perf_counter() - began)

    def _call(
        self, requests: Iterator[tuple[str, Request]], ends: float, done: list[int], failed: list[str]
    ) -> None:
        count = 0
        bind = self._app.configure_task(TASK, queue=QUEUE, allow_unknown=True)
        while time.perf_counter() < ends:
            _, request = next(requests)
            answers = self._waiting[request.request_id] = SimpleQueue()
            bind.defer(message=request.model_dump(mode="json"))
            try:
                outcome = answers.get(timeout=_DEADLINE)
            except Empty:
                outcome = "nothing"
            del self._waiting[request.request_id]
            if outcome != "virtualized":
                failed.append(outcome)
                return
            count += 1
        done.append(count)

    def _listen(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            while not self._closing.is_set():
                for notice in connection.notifies(timeout=0.5):
                    request_id, outcome = json.loads(notice.payload)
                    if request_id in self._waiting:
                        self._waiting[request_id].put(outcome)
