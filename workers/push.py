"""The push worker: brings nodes to the truth, and runs the sweep. Start as many as you like.

It consumes the queue of wake-ups for several nodes, and one for each node (`workers.node_queues`).
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from contextlib import suppress

from celery.signals import worker_shutdown, worker_shutting_down

from tasks.app import app
from tasks.push import ENDING, THREADS
from tasks.topology import ANNOUNCE, PUSH
from workers.celery_worker import run
from workers.node_queues import NodeQueues

#: Seconds that a thread computes before another that waits may go on. A push waits for the network a dozen times; beside an audit,
#: which computes, it would wait for Python's usual 5 ms after each.
SWITCH_EVERY = 0.0005

#: glibc's mallopt: how many heaps the threads may have. By default there are eight for each core, and what is free in one serves no other: with 64
#: nodes that is a tenth of the memory. And from how many bytes on a block goes back to the system as soon as it is freed: by default that grows with
#: the blocks that are freed, and a sixth of the memory stays in gaps. Another C library has no such thing.
_M_ARENA_MAX, _HEAPS = -8, 1
_M_MMAP_THRESHOLD, _LARGE = -3, 128 * 1024


@worker_shutting_down.connect
@worker_shutdown.connect  # also when no signal was the cause
def _end_audits(**_: object) -> None:
    ENDING.set()


def main() -> int:
    """The command line of this process."""
    with suppress(AttributeError, OSError):
        for parameter, value in ((_M_ARENA_MAX, _HEAPS), (_M_MMAP_THRESHOLD, _LARGE)):
            ctypes.CDLL(None).mallopt(parameter, value)
    argparse.ArgumentParser("roost run push", description=__doc__).parse_args()
    sys.setswitchinterval(SWITCH_EVERY)
    app.steps["consumer"].add(NodeQueues)
    return run("push", [ANNOUNCE, PUSH], pool="threads", concurrency=THREADS, needs=("seal_private_key",))


if __name__ == "__main__":
    sys.exit(main())
