"""Ends what we started when we are gone, even by SIGKILL.

One small process per Python process holds the read end of a pipe. We tell it of every process group we start and end.
When the pipe closes, because we closed it or died, it kills the groups that are left, and leaves.

PR_SET_PDEATHSIG would not do: the kernel clears it when a child changes its user, it reaches no grandchildren, and it
fires when the *thread* that started the child ends.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading

# Runs under `python -I -S -c`, so it imports little and starts in about 15 ms. A group whose number was taken by a stranger
# (its leader started at another time) is left alone.
_PROGRAM = """
import os, signal, sys

def started(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()[19]
    except OSError:
        return None

signal.signal(signal.SIGTERM, signal.SIG_IGN)
groups = {}
for line in sys.stdin:
    sign, number = line[0], int(line[1:])
    if sign == "+":
        groups[number] = started(number)
        print("seen", flush=True)
    else:
        groups.pop(number, None)
for number, birth in groups.items():
    if started(number) in (None, birth):
        try:
            os.killpg(number, signal.SIGKILL)
        except ProcessLookupError:
            pass
"""


class Guardian:
    """The guardian of this process; use the module's `watch` and `release`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._close)

    def _close(self) -> None:
        """At an orderly end: let it do its work, and collect it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout=10)

    def _forget(self) -> None:
        """In a forked child: let go of the parent's pipe, so that the guardian sees the parent's end."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            os.close(process.stdin.fileno())
            os.close(process.stdout.fileno())
            process.returncode = 0  # not ours to wait for

    def _pipe(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                bufsize=1,
                cwd="/",
                start_new_session=True,
            )
        return self._process

    def watch(self, group: int) -> None:
        """Kill process group `group` when this process ends. Returns once the guardian has noted it."""
        with self._lock:
            process = self._pipe()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"+{group}\n")
            process.stdin.flush()
            process.stdout.readline()

    def release(self, group: int) -> None:
        """Process group `group` has ended."""
        with self._lock:
            if self._process is not None and self._process.poll() is None and self._process.stdin is not None:
                self._process.stdin.write(f"-{group}\n")
                self._process.stdin.flush()


_guardian = Guardian()
watch = _guardian.watch
release = _guardian.release
