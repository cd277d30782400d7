"""The bind worker as it is, with the no-op task beside its own: same queue, same processes, same connections."""

from __future__ import annotations

import sys

from benchmarks import noop
from workers.bind import main

__all__ = ["noop"]

if __name__ == "__main__":
    sys.exit(main())
