"""Python processes forked from one that has imported already what they need.

Of a start of one of our processes, nine tenths of the processor time go into importing. A test run starts hundreds, on few cores.
What is forked is a process like any other: its own environment, folder, session and group, and it runs the module as `python -m` does.
The one thing it does not show is whether a module imports all that it needs; for that some tests start processes anew.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

TOP = Path(__file__).parent.parent
_COMMANDS = tuple(
    f"workers.cli.{path.stem}" for path in (TOP / "workers" / "cli").glob("[a-z]*.py") if path.stem != "main"
)
_LARGEST_REQUEST = 1 << 18
#: Seconds; in a fresh clone all that it imports is compiled first, by several processes at once.
_ANSWERS_WITHIN = 120.0
#: What Roost's processes and commands import, but for what reads the environment as it is imported.
_IMPORTED = (
    *("workers.celery_worker", "workers.center.server", "workers.web.app", "workers.web.server", *_COMMANDS),
    *("celery.apps.worker", "celery.beat", "celery.concurrency.thread", "celery.concurrency.prefork"),
    *("celery.worker.autoscale", "celery.worker.components", "celery.worker.consumer.consumer"),
    *("uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.lifespan.on"),
    "simulator.server",
)


class WarmProcess:
    """A process that was forked; it is asked as a child, though it is not ours."""

    def __init__(self, parent: WarmPython, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent = parent
        self._descriptor = os.pidfd_open(pid)  # its number stays its own until it is collected

    def ended(self, within: float = 0.0) -> bool:
        """Whether it ended, or does so within so many seconds; it is not collected."""
        return self.returncode is not None or bool(select.select([self._descriptor], [], [], within)[0])

    def wait(self, timeout: float) -> int:
        """Collect it; its exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not self.ended(timeout):
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            self.returncode = self._parent.collect(self.pid)
            os.close(self._descriptor)
        return self.returncode


class WarmPython:
    """The process that imported everything. It starts when it is first needed, and ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def suits(self, argv: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Whether a command is a module of this checkout, in this Python, with nothing installed besides."""
        return list(argv[:2]) == [sys.executable, "-m"] and environment.get("PYTHONPATH") == str(TOP)

    def begin(self) -> None:
        """Have it import what it can, meanwhile; without this, the first start waits for it."""
        with self._lock:
            if self._socket is None:
                self._socket = self._begin()

    def start(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None,
        stdout: IO[Any],
        stderr: IO[Any] | None = None,
        stdin: IO[Any] | None = None,
    ) -> WarmProcess:
        """Run a module with its arguments, in a session of its own; errors go where the output goes, and there is no input."""
        request = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder or Path.cwd()),
        }
        with Path(os.devnull).open() as nothing:
            files = [(stdin or nothing).fileno(), stdout.fileno(), (stderr or stdout).fileno()]
            return WarmProcess(self, self._ask(request, files))

    def run(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        stdin: str,
        timeout: float,
    ) -> subprocess.CompletedProcess[str]:
        """The same, to its end; as `subprocess.run`, which raises TimeoutExpired too."""
        with contextlib.ExitStack() as files:
            told, out, errors = (files.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3))
            told.write(stdin)
            told.seek(0)
            process = self.start(
                arguments, environment=environment, folder=folder, stdin=told, stdout=out, stderr=errors
            )
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait(timeout)
                raise
            out.seek(0)
            errors.seek(0)
            return subprocess.CompletedProcess(list(arguments), code, out.read(), errors.read())

    def collect(self, pid: int) -> int:
        """The exit code of one that ended; once."""
        return self._ask({"collect": pid}, [])

    def close(self) -> None:
        """End it. What it started goes on."""
        with self._lock:
            if self._socket is not None and self._process is not None:
                self._socket.close()
                self._process.wait(timeout=10)
                self._socket = self._process = None

    def _ask(self, request: Mapping[str, object], files: list[int]) -> int:
        self.begin()
        with self._lock:
            assert self._socket is not None
            socket.send_fds(self._socket, [json.dumps(request).encode()], files)
            answer = self._socket.recv(_LARGEST_REQUEST)
        if not answer:
            raise RuntimeError("the process that others are forked from has ended")
        return int(answer)

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_ANSWERS_WITHIN)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd=TOP,
                env=kept | {"PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1"}, start_new_session=True,
            )  # fmt: skip
        atexit.register(self.close)
        return ours


def _serve(connection: socket.socket) -> dict[str, Any] | None:
    """Fork for each request. Returns in each forked process, with its request; and None when nobody asks any more."""
    while True:
        data, files, _, _ = socket.recv_fds(connection, _LARGEST_REQUEST, 3)
        if not data:
            return None
        request = json.loads(data)
        if "collect" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["collect"], 0)[1])
        else:
            own, told = os.pipe()
            answer = os.fork()
            if answer == 0:
                connection.close()
                os.setsid()
                for number, file in enumerate(files):
                    os.dup2(file, number)
                os.closerange(
                    3, max(*files, told) + 1
                )  # closing `told` says that it has a session of its own
                return dict(request)
            os.close(told)
            os.read(own, 1)
            os.close(own)
        for file in files:
            os.close(file)
        connection.send(str(answer).encode())


def _become(request: Mapping[str, Any]) -> None:
    """Run what was asked for, as `python -m` does."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    module, *sys.argv[1:] = request["arguments"]
    sys.path[0] = request["folder"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Import, then fork."""
    for module in _IMPORTED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # or each that is forked would look through all of it as it ends, and copy it for that
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        _become(request)


if __name__ == "__main__":
    main()
