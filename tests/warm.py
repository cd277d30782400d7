"""Programs of ours that a test starts, each in a process of its own, without waiting until it has imported everything anew."""

from __future__ import annotations

import subprocess
import sys
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
    """What `python -m` does with these arguments, in a folder, with this environment alone; what it printed comes with it.

    Without a PYTHONPATH it is of this checkout; what has packages besides is started anew.
    """
    environment = {"PYTHONPATH": str(TOP), **environment}
    command = [sys.executable, "-m", *arguments]
    if WARM.suits(command, environment):
        return WARM.run(arguments, environment=environment, folder=folder, stdin=stdin, timeout=timeout)
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
