"""One supervised child process: started until ready, stopped for good, its whole process group with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from localcluster import guardian
from localcluster.startable import Startable
from localcluster.warm_python import WarmProcess, WarmPython

_POLL = 0.02
_TAIL_LINES = 25


class ServiceFailed(RuntimeError):
    """A service did not start, stop or answer in time; the message ends with the last lines of its log."""


def wait_until(condition: Callable[[], bool], deadline: float, what: str) -> None:
    """Return when `condition()` is true; after `deadline` seconds raise `ServiceFailed` that says `what`."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise ServiceFailed(f"{what}: not within {deadline:g} s")
        time.sleep(_POLL)


def wait_until_frozen(pids: Iterable[int]) -> None:
    """Wait until no thread of these processes runs any more: on a busy machine some go on for a while after a SIGSTOP."""
    pids = list(pids)
    wait_until(lambda: not any(_runs(pid) for pid in pids), 10.0, "every thread stands still")


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last `lines` of a log file, at most 16 KiB of it; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


class SupervisedProcess(Startable):
    """A child process in a process group of its own.

    `ready` is asked every 20 ms after the start, until true; None means ready at once. `environment` None inherits ours.
    Output goes to the file `log`, appended. An object may be started again after it ended.
    """

    #: Where it is set, our own Python modules are forked from there; tests set it, for they start hundreds.
    warm_python: ClassVar[WarmPython | None] = None

    def __init__(
        self,
        name: str,
        argv: Sequence[str | os.PathLike[str]],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        ready: Callable[[], bool] | None = None,
        start_deadline: float = 30.0,
        stop_deadline: float = 10.0,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.argv = [os.fspath(part) for part in argv]
        self.log = log
        self.environment = environment
        self.folder = folder
        self.ready = ready
        self.start_deadline = start_deadline
        self.stop_deadline = stop_deadline
        self.stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | WarmProcess | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id, which is also its group's; `ServiceFailed` when it is not running."""
        if self._process is None or not self.running:
            raise ServiceFailed(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives (a stopped one, by `pause`, lives)."""
        return self._process is not None and not self._ended(self._process)

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines of the log."""
        return tail(self.log, lines)

    def wrote(self, text: str) -> bool:
        """Whether this run logged `text`, in its first 64 KiB."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return text.encode() in file.read(65_536)

    def start(self) -> None:
        """Start it and wait until it is ready. On failure nothing is left running."""
        if self.running:
            raise ServiceFailed(f"{self.name} is running already")
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start it without waiting; follow with `await_ready`. For several that need each other."""
        self._reap()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._log_start = output.seek(0, os.SEEK_END)
            warm = self.warm_python
            if warm is not None and self.environment is not None and warm.suits(self.argv, self.environment):
                self._process = warm.start(
                    self.argv[2:], environment=self.environment, folder=self.folder, stdout=output
                )
            else:
                self._process = subprocess.Popen(
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    cwd=self.folder,
                    start_new_session=True,
                )
        guardian.watch(self._process.pid)

    def await_ready(self) -> None:
        """Wait until it is ready; when it ends first, or too late, kill it and raise `ServiceFailed`."""
        end = time.monotonic() + self.start_deadline
        try:
            while self.ready is not None and not self.ready():
                if not self.running:
                    raise self._failure("ended while starting")
                if time.monotonic() > end:
                    raise self._failure(f"not ready within {self.start_deadline:g} s")
                time.sleep(_POLL)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> int | None:
        """Ask it to end, wait, then kill what is left of its group. Returns its exit code; None if it never ran."""
        return self._end(self.stop_signal, self.stop_deadline)

    def kill(self) -> int | None:
        """SIGKILL to the whole group, at once."""
        return self._end(None, 0.0)

    def pause(self) -> None:
        """Freeze the whole group (SIGSTOP), and wait until it stands still."""
        os.killpg(self.pid, signal.SIGSTOP)
        wait_until_frozen(_group(self.pid))

    def resume(self) -> None:
        """Let a frozen group go on (SIGCONT)."""
        os.killpg(self.pid, signal.SIGCONT)

    def _end(self, first: signal.Signals | None, deadline: float) -> int | None:
        process = self._process
        if process is None:
            return None
        if process.returncode is None:
            if first is not None and not self._ended(process):
                os.kill(process.pid, first)
                os.killpg(process.pid, signal.SIGCONT)
                end = time.monotonic() + deadline
                while not self._ended(process) and time.monotonic() < end:
                    time.sleep(_POLL)
            self._reap()
        return process.returncode

    def _reap(self) -> None:
        """Kill the group while its leader still holds the number, so that it cannot be a stranger's; then collect it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):  # only the ended leader is left of it
            os.killpg(process.pid, signal.SIGKILL)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired as error:
            raise self._failure("did not die within 10 s of SIGKILL") from error
        guardian.release(process.pid)

    @staticmethod
    def _ended(process: subprocess.Popen[bytes] | WarmProcess) -> bool:
        """Whether it ended, without collecting it: its number stays ours until `_reap`."""
        if isinstance(process, WarmProcess):
            return process.ended()
        if process.returncode is not None:
            return True
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _failure(self, why: str) -> ServiceFailed:
        return ServiceFailed(f"{self.name} {why}. Last lines of {self.log}:\n{self.log_tail()}")


def _group(leader: int) -> list[int]:
    """The processes of a process group."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [pid for pid in pids if _status(Path(f"/proc/{pid}"))[2:3] == [str(leader)]]


def _runs(pid: int) -> bool:
    """Whether a thread of the process is neither stopped nor ended."""
    return any(
        _status(task)[:1] not in (["T"], ["t"], ["Z"], ["X"], [])
        for task in Path(f"/proc/{pid}/task").glob("*")
    )


def _status(task: Path) -> list[str]:
    """State, parent, process group and what follows (proc(5)); nothing when it is gone."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
