"""What is started and stopped: as a context manager it runs as long as the block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Startable(ABC):
    """A service, a process, or several of them."""

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it is ready; on failure nothing of it is left running."""

    @abstractmethod
    def stop(self) -> object:
        """End it in order; nothing happens when it does not run."""

    def restart(self) -> None:
        """Stop if running, then start."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
