"""The verify worker: compares secret codes. It is bound by the processor: a thread for each core, and one more.

Threads, not processes: argon2id runs without Python's lock, so they use every core, and no message crosses a pipe. While one
waits for PostgreSQL, the one more compares.
"""

from __future__ import annotations

import argparse
import os
import sys

from tasks.topology import VERIFY
from workers.celery_worker import run


def main() -> int:
    """The command line of this process."""
    parser = argparse.ArgumentParser("roost run verify", description=__doc__)
    parser.add_argument(
        "--concurrency",
        type=int,
        default=(os.cpu_count() or 1) + 1,
        help="codes at once (default: cores, and one)",
    )
    return run(
        "verify", [VERIFY], pool="threads", concurrency=parser.parse_args().concurrency,
        needs=("seal_private_key", "code_pepper"),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
