"""The bind worker: moves extensions, and numbers what it changed. Start as many as you like.

Threads, not processes: a bind waits for PostgreSQL, one announcer serves them all, and no message crosses a pipe. Moves that
wait are settled together (tasks/together.py), so it is sent more than it does at once.
"""

from __future__ import annotations

import argparse
import sys

from celery.signals import worker_shutdown

from tasks import resources
from tasks.together import MOST, MOST_THREADS
from tasks.topology import BIND
from workers.celery_worker import run

#: Jobs at once in one process, besides the moves that are settled together.
THREADS = 4
#: Messages sent ahead, a thread: four full transactions in all, so that the next is there when one is through, and when many wait for rows that others hold.
PREFETCH = 4 * MOST // (THREADS + MOST_THREADS)


@worker_shutdown.connect
def _announce_the_last(**_: object) -> None:
    resources.announcer().close()


def main() -> int:
    """The command line of this process."""
    parser = argparse.ArgumentParser("roost run bind", description=__doc__)
    parser.add_argument(
        "--concurrency",
        type=int,
        default=THREADS,
        choices=range(1, 9),
        help="jobs that are done alone, at once",
    )
    threads = parser.parse_args().concurrency + MOST_THREADS
    return run("bind", [BIND], pool="threads", concurrency=threads, prefetch=PREFETCH)


if __name__ == "__main__":
    sys.exit(main())
