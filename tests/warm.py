"""Programs of ours that a test starts, each in a process of its own, without waiting until it has imported everything anew."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from localcluster.warm_python import TOP, WarmPython

#: One in each process of the run.
WARM = WarmPython()


def run_module(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    stdin: str = "",
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """What `python -m` does with these arguments, in a folder, with this environment alone; what it printed comes with it."""
    return WARM.run(
        arguments,
        environment={**environment, "PYTHONPATH": str(TOP)},
        folder=folder,
        stdin=stdin,
        timeout=timeout,
    )
