"""A service that is one supervised process, with whatever that one starts."""

from __future__ import annotations

from localcluster.process import SupervisedProcess
from localcluster.startable import Startable


class Service(Startable):
    """A subclass sets `process`, and does more where that is not all."""

    process: SupervisedProcess

    @property
    def pid(self) -> int:
        """The process id of its first process."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it lives (a frozen one lives)."""
        return self.process.running

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.process.start()

    def stop(self) -> None:
        """Orderly end."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL to all its processes, as in a crash."""
        self.process.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP)."""
        self.process.pause()

    def resume(self) -> None:
        """Let it go on."""
        self.process.resume()
