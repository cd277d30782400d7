"""Roost's core driven by procrastinate: jobs in PostgreSQL, answers by NOTIFY. The pushes go on as they do in Roost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from procrastinate import App, PsycopgConnector

from roost.moves.outcomes import CHANGED
from roost.moves.requests import Virtualize
from roost.settings import settings
from tasks import resources
from workers import bind
from workers.logs import set_up

TASK = "bench.bind"
QUEUE = "bind"
CHANNEL = "bench_answers"


def serve(message: dict[str, Any]) -> None:
    """Bind, announce, answer."""
    answer = resources.binding().virtualize(Virtualize.model_validate(message))
    if answer.outcome in CHANGED:
        resources.announcer().changed()
    told = json.dumps([answer.request_id, answer.outcome.value])
    with resources.database().connection() as connection:
        connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, told))


async def _work(url: str) -> None:
    app = App(connector=PsycopgConnector(conninfo=url, max_size=2 * bind.THREADS))
    app.task(name=TASK, queue=QUEUE)(serve)
    async with app.open_async():
        print("procrastinate ready.", flush=True)
        await app.run_worker_async(
            queues=[QUEUE], concurrency=bind.THREADS, delete_jobs="always", install_signal_handlers=True
        )


def main() -> None:
    """Work until SIGTERM."""
    set_up(settings())
    asyncio.run(_work(settings().need("database_url")))


if __name__ == "__main__":
    main()
