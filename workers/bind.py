"""The bind worker: moves extensions, and numbers what it changed. Start as many as you like."""

from __future__ import annotations

import argparse
import sys

from celery.signals import worker_process_shutdown

from tasks import resources
from tasks.topology import BIND
from workers.celery_worker import run


@worker_process_shutdown.connect
def _announce_the_last(**_: object) -> None:
    resources.announcer().close()


def main() -> int:
    """The command line of this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, default=2, help="processes (default 2)")
    return run("bind", [BIND], pool="prefork", concurrency=parser.parse_args().concurrency)


if __name__ == "__main__":
    sys.exit(main())
