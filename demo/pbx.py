"""What the demo needs of the PBX nodes and their phones; and three simulated nodes, which need nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from demo.calls import SimulatedTelephones, Telephones
from demo.nodes import Nodes
from localcluster.plain_phone import PlainPhone
from localcluster.product import Product
from roost.pbx.node import NodeAddress


class Pbx(Protocol):
    """The nodes of a demo. `layout` has each node's phones; one at two nodes is homed on the last, and is the phone of the race."""

    #: What the audience is told.
    words: str
    layout: Mapping[str, Sequence[str]]
    #: The nodes that Roost's own processes start with.
    simulated: tuple[str, ...]
    #: What must be fetched before anything starts.
    fetch: Mapping[str, Callable[[], object]]
    #: What `start` starts; empty when there is nothing.
    parts: str

    def start(self, folder: Path, product: Product) -> None:
        """Start all, with every phone registered. Raises ServiceFailed."""

    def stop(self) -> None:
        """End all that was started."""

    def ended(self) -> list[str]:
        """The parts that should run and do not."""

    def addresses(self, product: Product) -> Mapping[str, NodeAddress]:
        """How each node is reached."""

    def telephones(self, nodes: Nodes, product: Product) -> Telephones:
        """How people telephone."""

    @property
    def lamps(self) -> PlainPhone | None:
        """A phone with lamp keys, not registered; None where no lamp can follow."""

    def sip_accounts(self) -> list[str]:
        """How each SIP phone registers, for who wants to take its place with a phone of their own."""


def homes(layout: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The node of each phone."""
    return {phone: node for node, phones in layout.items() for phone in phones}


class SimulatedPbx:
    """Three nodes without telephones."""

    words = "three simulated PBX nodes"
    layout: Mapping[str, Sequence[str]] = {
        "n1": ["johns-phone"],
        "n2": ["teds-extra"],
        "n3": ["front-desk", "meeting-room"],
    }
    simulated = tuple(layout)
    fetch: Mapping[str, Callable[[], object]] = {}
    parts = ""
    lamps = None

    def start(self, folder: Path, product: Product) -> None:
        """Nothing: the product starts them."""

    def stop(self) -> None:
        """Nothing."""

    def ended(self) -> list[str]:
        """Nothing."""
        return []

    def addresses(self, product: Product) -> Mapping[str, NodeAddress]:
        """By AMI on loopback."""
        return product.nodes

    def telephones(self, nodes: Nodes, product: Product) -> Telephones:
        """Calls that only the center hears; the nodes ask the centers in turn."""
        centers = product.centers
        asked = {name: centers[place % len(centers)] for place, name in enumerate(nodes.names)}
        return SimulatedTelephones(nodes, homes(self.layout), asked)

    def sip_accounts(self) -> list[str]:
        """None."""
        return []
