"""The PBX nodes of the stage: simulated ones, and real Asterisk beside them. Each has a store on disk."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from localcluster import ports
from localcluster.asterisk import AsteriskNode
from localcluster.process import SupervisedProcess
from localcluster.simulator import SIMULATES
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Cursor, Key, NodeAddress

_TOP = Path(__file__).parent.parent
#: Seconds in which a node tells a large table, too.
_DEADLINE = 20.0


class _Process(Protocol):
    """What can be done to the process of a PBX."""

    def start(self) -> None: ...
    def stop(self) -> object: ...
    def kill(self) -> object: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Node:
    """One PBX: its process, how it is reached, and the file that holds its table."""

    def __init__(self, name: str, process: _Process, address: NodeAddress, store: Path) -> None:
        self.name = name
        self.process = process
        self.address = address
        self.store = store

    def holds(self) -> tuple[Cursor | None, dict[Key, Change | None]]:
        """Its cursor, and then its whole table. Raises NodeUnavailable."""
        node = connect(self.address, _DEADLINE)
        try:
            return node.cursor(), node.dump()
        finally:
            node.close()

    def forget(self) -> None:
        """Delete its store; it must not run."""
        for file in self._files():
            file.unlink()

    def keep_copy(self) -> Path:
        """A copy of its store as it is now; it must not run, so that all of it is on disk."""
        copy = self.store.with_name(f"{self.store.name}.older")
        shutil.copyfile(self.store, copy)
        return copy

    def go_back_to(self, copy: Path) -> None:
        """Put an older copy in the place of its store; it must not run."""
        self.forget()
        shutil.copyfile(copy, self.store)

    def _files(self) -> list[Path]:
        """The store, and the journal that SQLite may keep beside it."""
        beside = [self.store.with_name(self.store.name + ending) for ending in ("-journal", "-wal", "-shm")]
        return [file for file in (self.store, *beside) if file.exists()]


class SimulatedNode(Node):
    """A simulator of one node, which also does wrong what it is told to."""

    def __init__(self, name: str, folder: Path, secret: str) -> None:
        port = ports.free_port()
        secret_file = folder / f"{name}.secret"
        secret_file.touch(mode=0o600)
        secret_file.write_text(secret)
        process = SupervisedProcess(
            name,
            [
                sys.executable, "-m", "simulator", "--secret-file", str(secret_file), "--faults",
                "--data", str(folder), "--node", f"{name}:{port}",
            ],
            log=folder / f"{name}.log", folder=_TOP, ready=lambda: process.wrote(f"{name} ready"),
        )  # fmt: skip
        at = NodeAddress(SIMULATES, ports.LOOPBACK, port, SecretStr(secret))
        super().__init__(name, process, at, folder / f"{name}.sqlite")


class RealNode(Node):
    """An Asterisk with its AstDB, at an address of its own."""

    def __init__(self, name: str, address: str, folder: Path) -> None:
        asterisk = AsteriskNode(name, address, folder / name)
        store = asterisk.folder / "db" / "astdb.sqlite3"
        super().__init__(name, asterisk, asterisk.control, store)
