"""The nodes that the conformance suite runs against: each folder here with a `target.py` brings those of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from localcluster.service import Service
from roost.pbx.kinds import PbxKind
from roost.pbx.node import Key, NodeAddress

#: Seconds any call of these tests may take; none should need it.
DEADLINE = 30.0


class Target(Protocol):
    """A node that can be started, and killed with no time to save anything; and its memory, past any adapter."""

    kind: PbxKind[Any]
    #: A word that its health names it by.
    product: str
    #: A name of so many characters makes a row that it cannot hold.
    too_long: int
    #: So many changes take it seconds, so that it can be killed amid them.
    long_change: int
    #: What no adapter writes, and cannot be read as a row.
    unreadable: Sequence[tuple[Key, str]]

    @property
    def address(self) -> NodeAddress: ...

    @property
    def wrong_logins(self) -> Sequence[NodeAddress]:
        """Itself, by logins that it must refuse; none where its kind has no login."""

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...

    def wipe(self) -> None:
        """Leave nothing there, of Roost's or beside it."""

    def store(self, key: Key | None, stored: str) -> None:
        """Write a row as it is; None for the key: the cursor."""

    def store_what_others_keep(self) -> None:
        """Write beside Roost's table what looks much like it."""


class ServiceTarget:
    """A target that is a service of the local cluster."""

    service: Service

    def start(self) -> None:
        self.service.start()

    def kill(self) -> None:
        self.service.kill()

    def stop(self) -> None:
        self.service.stop()


def targets() -> dict[str, Callable[[Path], Target]]:
    """How to make each target in a folder, by name: what every `target.py` has as TARGETS."""
    return {name: make for module in _modules() for name, make in module.TARGETS.items()}


def other_versions() -> set[str]:
    """The targets that are another version of one that is looked at each time: OTHER_VERSIONS of a `target.py`."""
    return {name for module in _modules() for name in getattr(module, "OTHER_VERSIONS", ())}


def _modules() -> list[ModuleType]:
    files = sorted(Path(__file__).parent.glob("*/target.py"))
    return [import_module(f"tests.conformance.{file.parent.name}.target") for file in files]
