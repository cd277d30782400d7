"""A client of the workers whose requests can be waited for, until they were given to it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from pydantic import BaseModel

from roost.moves.requests import Answer
from tasks.client import Client


class WatchedClient(Client):
    """`given`: the tasks that it was asked for, made in the loop of who waits."""

    given: asyncio.Queue[str]

    def submit(self, task: str, request: BaseModel, *, deadline: float | None = None) -> Future[Answer]:
        """Submit, and tell who waits for that."""
        future = super().submit(task, request, deadline=deadline)
        self.given.put_nowait(task)
        return future
