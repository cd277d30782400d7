"""A folder as a node: it is killed by taking it away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from roost.pbx.node import Key, NodeAddress
from tests.conformance.folder.kind import KIND


class FolderTarget:
    """A folder that is there, or was renamed; in memory where there is a file system for that, for a disk takes its time with files."""

    kind = KIND
    product = "Folder "
    too_long = 2_000
    long_change = 100_000
    unreadable: Sequence[tuple[Key, str]] = (
        (("e", "0001*009"), ""),
        (("e", "0001*009"), '["0001*008", "n1", "desk-1"]'),
        (("p", "x"), "[1]"),
    )
    wrong_logins: Sequence[NodeAddress] = ()

    def __init__(self, folder: Path) -> None:
        memory = Path("/dev/shm")
        self._around = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else folder))
        self._folder, self._away = self._around / "here", self._around / "away"
        self._away.mkdir()
        self.address = NodeAddress("folder", "localhost", 1, SecretStr(""), {"folder": str(self._folder)})

    def start(self) -> None:
        self._away.rename(self._folder)

    def kill(self) -> None:
        self._folder.rename(self._away)

    def stop(self) -> None:
        shutil.rmtree(self._around)

    def wipe(self) -> None:
        for part in self._folder.iterdir():
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()

    def store(self, key: Key | None, stored: str) -> None:
        file = self._folder / "cursor" if key is None else self._folder / key[0] / key[1]
        file.parent.mkdir(exist_ok=True)
        file.write_text(stored)

    def store_what_others_keep(self) -> None:
        self.store(("x", "0001*001"), '["0001*001", "n1", "desk-1"]')  # type: ignore[arg-type]  # no kind of ours
        (self._folder / "readme").write_text("?")


TARGETS = {"folder": FolderTarget}
