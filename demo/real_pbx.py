"""Real nodes with SIP phones, whichever kinds they are of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from demo.calls import Telephones
from demo.nodes import Nodes
from demo.pbx import homes
from demo.real_calls import RealTelephones
from localcluster.nodes_with_phones import NodesWithPhones
from localcluster.phones import Phone
from localcluster.plain_phone import PlainPhone
from localcluster.product import Product
from roost.pbx.node import NodeAddress


class RealPbx:
    """A `demo.pbx.Pbx`; a subclass makes the telephony. Two of its nodes are Asterisks, and each asks another center first."""

    layout: Mapping[str, Sequence[str]]
    simulated = ()
    #: The Asterisk that plays what a caller at another kind of node hears; the first.
    media = ""

    def __init__(self) -> None:
        self._telephony: NodesWithPhones | None = None
        self._lines: dict[tuple[str, str], Phone] = {}

    @abstractmethod
    def make(self, folder: Path) -> NodesWithPhones:
        """The nodes and their phones, not started."""

    def start(self, folder: Path, product: Product) -> None:
        """Start all; a phone of two nodes is registered at both."""
        telephony = self.make(folder)
        telephony.start()
        self._telephony = telephony
        first, second = product.centers
        for asterisk, centers in zip(
            telephony.asterisks.values(), ((first, second), (second, first)), strict=True
        ):
            asterisk.set_centers(*centers)
        home = homes(self.layout)
        for node, phone in self._places():
            if home[phone] == node:
                self._lines[node, phone] = telephony.phones[phone]
            else:
                address = telephony.nodes[node].address
                self._lines[node, phone] = Phone(phone, telephony.passwords[phone], address)
                self._lines[node, phone].register()

    def stop(self) -> None:
        """End the nodes."""
        if self._telephony is not None:
            self._telephony.stop()

    def ended(self) -> list[str]:
        """The nodes that ended."""
        nodes = {} if self._telephony is None else self._telephony.nodes
        return [f"the node {name}" for name, node in nodes.items() if not node.running]

    def addresses(self, product: Product) -> Mapping[str, NodeAddress]:  # noqa: ARG002  # they are not the product's
        """Of the nodes with phones."""
        return {name: self._running.nodes[name].control for name in self.layout}

    def telephones(self, nodes: Nodes, product: Product) -> Telephones:  # noqa: ARG002  # they ring
        """Real calls."""
        asterisks = self._running.asterisks
        logs = {name: center.log for name, center in zip(asterisks, product.of_kind("center"), strict=True)}
        plays = {name: name if name in asterisks else self.media for name in self.layout}
        return RealTelephones(
            {name: asterisks[player] for name, player in plays.items()},
            homes(self.layout),
            self._lines,
            {name: logs[player] for name, player in plays.items()},
        )

    @property
    def lamps(self) -> PlainPhone | None:
        """None, unless a subclass has one."""
        return None

    def sip_accounts(self) -> list[str]:
        """Of each node, those of the people."""
        return [
            f"{phone}: register as sip:{phone}@{self._running.nodes[node].address} with password {self._running.passwords[phone]}"
            for node, phone in self._places()
        ]

    def _places(self) -> list[tuple[str, str]]:
        return [(node, phone) for node, phones in self.layout.items() for phone in phones]

    @property
    def _running(self) -> NodesWithPhones:
        assert self._telephony is not None  # started
        return self._telephony
