"""PBX nodes of any kinds that are trunked to each other, and the phones that are registered there."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from localcluster.asterisk import AsteriskNode
from localcluster.pbx import Pbx
from localcluster.phones import Phone
from localcluster.plain_phone import PlainPhone
from localcluster.startable import Startable


class NodesWithPhones(Startable):
    """`phones` names the phones of each node, which are registered, over TCP those in `tcp`.

    `plain` likewise names accounts whose phones a test registers itself, with `plain_phone`. A subclass sets `nodes`, by name.
    """

    nodes: Mapping[str, Pbx]

    def __init__(
        self,
        phones: Mapping[str, Iterable[str]],
        plain: Mapping[str, Iterable[str]],
        tcp: Collection[str] = (),
    ) -> None:
        #: The node of each phone.
        self.homes = {phone: node for node, names in phones.items() for phone in names}
        self.plain_homes = {phone: node for node, names in plain.items() for phone in names}
        self.passwords = {phone: secrets.token_hex(12) for phone in (*self.homes, *self.plain_homes)}
        self.phones: dict[str, Phone] = {}
        self._tcp = tcp

    @property
    def asterisks(self) -> dict[str, AsteriskNode]:
        """The Asterisks among the nodes."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, AsteriskNode)}

    def start(self) -> None:
        """Start all nodes and register all phones."""
        try:
            for node in self.nodes.values():
                node.start()
            for name, home in self.homes.items():
                transport: Literal["udp", "tcp"] = "tcp" if name in self._tcp else "udp"
                self.phones[name] = Phone(name, self.passwords[name], self.nodes[home].address, transport)
                self.phones[name].register()
            self.wait_for_trunks()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes.values():
            node.stop()

    def register(self, node: str) -> None:
        """Register the phones of a node again, as they do by themselves some time after it restarted."""
        for name, home in self.homes.items():
            if home == node:
                self.phones[name].register()

    def plain_phone(self, name: str) -> PlainPhone:
        """A contact of the account `name`; it registers as a context manager."""
        return PlainPhone(name, self.passwords[name], self.nodes[self.plain_homes[name]].address)

    def wait_for_trunks(self) -> None:
        """Wait until every Asterisk reaches every other node: one that asked while its peer was away believes it gone for a while."""
        back_at = max(node.back_at for node in self.nodes.values())
        for asterisk in self.asterisks.values():
            asterisk.wait_for_peers([name for name in self.nodes if name != asterisk.name], back_at)

    def quiet(self) -> None:
        """End every call everywhere, and forget the rings that nobody took."""
        for phone in self.phones.values():
            phone.hang_up_all()
        for asterisk in self.asterisks.values():
            if asterisk.running:
                asterisk.wait_until_silent()
        for phone in self.phones.values():
            phone.hang_up_all()  # it may have rung meanwhile
