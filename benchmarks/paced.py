"""Binds at a given pace, each followed to the nodes: what a caller waits for, and what a colleague who calls him does."""

from __future__ import annotations

import random
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from benchmarks.caller import binds, noops
from benchmarks.world import ORGANIZATION
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Virtualize
from roost.settings import Settings
from tasks.client import Client


class Observer(Protocol):
    """Who sees when a move has come to where it shall."""

    def expect(self, key: str, value: str) -> Future[float]:
        """When (by `time.perf_counter`) everybody concerned had this value of this key; an error after a deadline."""


@dataclass(slots=True)
class Moves:
    """Milliseconds, in order: request to answer, request to applied on every node, answer to applied (0: before it)."""

    answered: list[float] = field(default_factory=list)
    applied: list[float] = field(default_factory=list)
    after_answer: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Move:
    sent: float
    answer: Future[Answer]
    applied: Future[float] | None
    answered: float = 0.0


def paced_binds(
    client: Client, settings: Settings, watcher: Observer, *, movers: tuple[int, int], per_second: float,
    seconds: float, watch_every: int = 1, task: str | None = None, deadline: float = 60,
) -> Moves:  # fmt: skip
    """Moves at random moments, `per_second` on average; every `watch_every`th is followed to the nodes.

    `task` does the binds instead of Roost's own; each may take `deadline` seconds. Raises RuntimeError when one was refused.
    """
    requests = binds(*movers, settings)
    moments = random.Random(1)
    moves: list[_Move] = []
    due = time.perf_counter()
    ends = due + seconds
    while (due := due + moments.expovariate(per_second)) < ends:
        name, request = next(requests)
        assert isinstance(request, Virtualize)  # `binds` makes nothing else
        time.sleep(max(0.0, due - time.perf_counter()))
        sent = time.perf_counter()
        answer = client.submit(task or name, request, deadline=deadline)
        applied = None
        if len(moves) % watch_every == 0:
            applied = watcher.expect(f"e/{ORGANIZATION}*{request.number}", f"home/{request.phone}")
        move = _Move(sent, answer, applied)
        answer.add_done_callback(partial(_note_time, move))
        moves.append(move)
    return _summary(moves)


def _note_time(move: _Move, _answer: Future[Answer]) -> None:
    move.answered = time.perf_counter()


def _summary(moves: list[_Move]) -> Moves:
    found = Moves()
    for move in moves:
        answer = move.answer.result()  # it has a deadline
        if answer.outcome is not Outcome.VIRTUALIZED:
            raise RuntimeError(f"a move came to {answer.outcome.value}")
        found.answered.append((move.answered - move.sent) * 1e3)
        if move.applied is not None:
            applied = move.applied.result(timeout=300)
            found.applied.append((applied - move.sent) * 1e3)
            found.after_answer.append(max(0.0, applied - move.answered) * 1e3)
    for values in (found.answered, found.applied, found.after_answer):
        values.sort()
    return found


def noop_latencies(client: Client, settings: Settings, seconds: float) -> list[float]:
    """Milliseconds of no-op requests one after the other, asked from this process; in order."""
    found = []
    ends = time.perf_counter() + seconds
    for name, request in noops(0, 1, settings):
        sent = time.perf_counter()
        if sent >= ends:
            break
        client.call(name, request, deadline=20)
        found.append((time.perf_counter() - sent) * 1e3)
    return sorted(found)
