"""The messages in mailboxes, as nodes know them: who keeps them, how many wait, and what phones are told of it.

A kind of PBX that knows mailboxes brings both (`roost.pbx.kinds`); a phone of one node may be told what another node keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from roost.pbx.node import ActsAs


class Waiting(NamedTuple):
    """How many messages a mailbox has: those not heard yet, and those kept."""

    new: int
    old: int


class Messages(Protocol):
    """The mailboxes and the message lamps of one node; raises what a `PbxNode` does."""

    def keeper(self) -> str | None:
        """The name of the node that keeps the messages, also when it is this one; None: this node knows of none."""

    def registered_here(self, phones: Sequence[str]) -> list[str]:
        """Those of these phones that are registered at this node."""

    def counts(self, rows: Sequence[ActsAs]) -> dict[str, Waiting]:
        """By phone, what waits for whoever sits there. A mailbox that there is not has nothing."""

    def tell(self, lamps: Mapping[str, Waiting]) -> None:
        """Tell phones of this node; one that is not registered any more is left out."""


class Registrations(Protocol):
    """A connection of its own that hears which phones register at a node."""

    def wait(self, seconds: float) -> list[str]:
        """Phones that registered since the last call, or are registered at the first; waits for one so long. Raises NodeUnavailable."""

    def close(self) -> None:
        """Close the connection; never raises."""
