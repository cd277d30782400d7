"""The processes: one Procfile line each. Only these have a `main`.

What they import takes most of a start, and a command or a health check does little else, so this comes before all of it.
"""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path

#: Objects that may come before Python looks for garbage among them. At its own 700, a tenth of a start goes into looking through
#: what was imported, and a center with a thousand calls in progress looks through these every other second.
GARBAGE_AFTER = 10_000

gc.set_threshold(GARBAGE_AFTER)

if sys.argv[:1] == ["-m"] or Path(*sys.argv[:1]).name == "roost":
    # It is a process or a command that begins here. Ctrl-C amid its imports, which take a second, ends it, and says nothing; who has
    # something to end with care listens when that begins. `roost run` holds Ctrl-C back until here.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

if "rich" not in sys.modules:
    # With Rich, structlog would paint tracebacks. Roost writes its own (workers/logs.py), and need not wait for it at each start.
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python is told that there is none
    import structlog  # noqa: F401 - while there is none

    del sys.modules["rich"]
