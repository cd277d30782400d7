"""The PBX nodes of the stage: simulated ones, and real ones beside them, so many of each kind as `REAL` can start."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from chaos.names import ALONE, NUMBERS, WITHOUT_DESK, phone_name
from localcluster import ports
from localcluster.asterisk import AsteriskNode, node_addresses
from localcluster.freepbx import Device, FreepbxBox, User
from localcluster.kamailio import HTTP_PORT, SOURCES, KamailioNode, kamailio_addresses
from localcluster.process import ServiceFailed, SupervisedProcess
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
    """One PBX: its process, and how it is reached."""

    def __init__(self, name: str, process: _Process, address: NodeAddress) -> None:
        self.name = name
        self.process = process
        self.address = address

    def cursor(self) -> Cursor | None:
        """Its cursor. Raises NodeUnavailable."""
        node = connect(self.address, _DEADLINE)
        try:
            return node.cursor()
        finally:
            node.close()

    def holds(self) -> tuple[Cursor | None, dict[Key, Change | None]]:
        """Its cursor, and then its whole table. Raises NodeUnavailable."""
        node = connect(self.address, _DEADLINE)
        try:
            return node.cursor(), node.dump()
        finally:
            node.close()


class StoredNode(Node):
    """A PBX that keeps its table in a file."""

    def __init__(self, name: str, process: _Process, address: NodeAddress, store: Path) -> None:
        super().__init__(name, process, address)
        self.store = store

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


class SimulatedNode(StoredNode):
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


class StagedAsterisk(StoredNode):
    """An Asterisk with its AstDB, at an address of its own."""

    def __init__(self, name: str, address: str, folder: Path) -> None:
        asterisk = AsteriskNode(name, address, folder / name)
        store = asterisk.folder / "db" / "astdb.sqlite3"
        super().__init__(name, asterisk, asterisk.control, store)


class StagedFreepbx(StoredNode):
    """An Asterisk with the keys of a FreePBX, which knows one organization."""

    def __init__(self, name: str, address: str, folder: Path) -> None:
        self.box = FreepbxBox(
            name, address, folder / name,
            users=[User(number, f"Person {number}") for number in (*NUMBERS, WITHOUT_DESK)],
            devices=[Device(phone_name(ALONE, number), number) for number in NUMBERS],
        )  # fmt: skip
        super().__init__(name, self.box, self.box.control, self.box.folder / "db" / "astdb.sqlite3")

    def holds(self) -> tuple[Cursor | None, dict[Key, Change | None]]:
        """The same; a row is none, too, by which FreePBX's own keys do not go, or the lamp."""
        node = connect(self.address, _DEADLINE)
        try:
            return node.cursor(), node.read(list(node.dump()))
        finally:
            node.close()


class StagedKamailio(Node):
    """A Kamailio, whose table is in memory alone; and the program beside it that can keep the table in a file."""

    def __init__(self, name: str, address: str, folder: Path) -> None:
        self._kamailio = KamailioNode(name, address, folder / name)
        self._snapshot = folder / f"{name}.snapshot"
        self._secret_file = folder / f"{name}.secret"
        self._secret_file.touch(mode=0o600)
        self._secret_file.write_text(self._kamailio.secret)
        super().__init__(name, self._kamailio, self._kamailio.control)

    def flush(self) -> None:
        """Empty its table while it runs."""
        self._kamailio.rpc("htable.flush", "roost")

    def keep_snapshot(self) -> None:
        """Keep the table as it is now. Raises ServiceFailed when it has no cursor, or there is no answer."""
        self._snapshot.unlink(missing_ok=True)
        self._look()
        if not self._snapshot.exists():
            raise ServiceFailed(f"{self.name} has no table to keep")

    def give_back(self) -> str:
        """Give the table back as it was kept, unless Roost has begun to write; what was said of it."""
        return self._look()

    def _look(self) -> str:
        """What a timer beside it runs."""
        done = subprocess.run(
            [
                sys.executable, str(SOURCES / "roost_snapshot.py"), "--url", f"http://{self.address.host}:{HTTP_PORT}",
                "--secret-file", str(self._secret_file), "--file", str(self._snapshot), "--once",
            ],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_DEADLINE, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr


def _asterisks(count: int, folder: Path) -> list[Node]:
    names = [f"a{number}" for number in range(1, count + 1)]
    return [StagedAsterisk(name, address, folder) for name, address in node_addresses(*names).items()]


def _boxes(count: int, folder: Path) -> list[Node]:
    names = [f"f{number}" for number in range(1, count + 1)]
    return [StagedFreepbx(name, address, folder) for name, address in node_addresses(*names).items()]


def _kamailios(count: int, folder: Path) -> list[Node]:
    names = [f"k{number}" for number in range(1, count + 1)]
    return [StagedKamailio(name, address, folder) for name, address in kamailio_addresses(*names).items()]


#: How to make so many of each kind of real PBX, in a folder.
REAL: Mapping[str, Callable[[int, Path], list[Node]]] = {
    "asterisk": _asterisks,
    "freepbx": _boxes,
    "kamailio": _kamailios,
}
