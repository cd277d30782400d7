"""Workers of the usual design: `bind`, or `naive`, which writes routes with as many processes as there are cores."""

from __future__ import annotations

import os
import sys

from benchmarks import naive_tasks
from tasks.app import app
from tasks.topology import BIND
from workers import bind
from workers.celery_worker import run


def main() -> int:
    """The queue to serve is the last argument."""
    if sys.argv[-1] != naive_tasks.QUEUE:
        return run("bind", [BIND], pool="threads", concurrency=bind.THREADS, needs=("seal_private_key",))
    app.amqp.queues.add(naive_tasks.naive_queue)
    # Many writes in hand at once, as Celery does by itself: they need no order.
    app.conf.worker_prefetch_multiplier = 4
    return run(
        "naive",
        [naive_tasks.QUEUE],
        pool="prefork",
        concurrency=os.cpu_count() or 1,
        needs=("seal_private_key",),
    )


if __name__ == "__main__":
    sys.exit(main())
