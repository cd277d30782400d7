"""Several Asterisk nodes with their phones, all in one object."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localcluster.asterisk import AsteriskNode, SipPhone, node_addresses
from localcluster.asterisk_install import asterisk_program
from localcluster.phones import Phone
from localcluster.plain_phone import PlainPhone


class Telephony:
    """Nodes that are trunked to each other, and one phone per endpoint, registered.

    `layout` maps each node's name to its phones' names, with their static caller ID ('"Desk 1" <+15550101>').
    `plain` likewise names endpoints with two contacts that a test registers itself, with `plain_phone`; `withheld` are
    those of them whose identity is kept from others. `site` is the text of the operator's contexts, the same on every node, as are `features`
    and `dialplan_globals`; `endpoints` are more lines of every phone's endpoint.
    """

    def __init__(
        self,
        folder: Path,
        layout: Mapping[str, Mapping[str, str]],
        *,
        plain: Mapping[str, Mapping[str, str]] | None = None,
        withheld: Collection[str] = (),
        centers: Sequence[str] = (),
        site: str = "",
        features: Mapping[str, str] | None = None,
        dialplan_globals: Mapping[str, str] | None = None,
        endpoints: str = "",
    ) -> None:
        plain = plain or {}
        program = asterisk_program()
        addresses = node_addresses(*layout)
        self.nodes: dict[str, AsteriskNode] = {}
        self.phones: dict[str, Phone] = {}
        self._homes = {phone: node for node, phones in layout.items() for phone in phones}
        self._plain_homes = {phone: node for node, phones in plain.items() for phone in phones}
        self._secrets = {phone: secrets.token_hex(12) for phone in (*self._homes, *self._plain_homes)}
        for node, phones in layout.items():
            self.nodes[node] = self.make_node(
                node,
                addresses[node],
                folder / node,
                phones=[
                    *(
                        SipPhone(name, self._secrets[name], caller_id, settings=endpoints)
                        for name, caller_id in phones.items()
                    ),
                    *(
                        SipPhone(
                            name,
                            self._secrets[name],
                            caller_id,
                            contacts=2,
                            settings=endpoints + "\ncallerid_privacy=prohib" * (name in withheld),
                        )
                        for name, caller_id in plain.get(node, {}).items()
                    ),
                ],
                peers=addresses,
                centers=centers,
                site=site,
                features=features,
                dialplan_globals=dialplan_globals,
                program=program,
            )

    def make_node(self, name: str, address: str, folder: Path, **settings: Any) -> AsteriskNode:
        """One node, not started; arguments as of `AsteriskNode`."""
        return AsteriskNode(name, address, folder, **settings)

    def start(self) -> None:
        """Start all nodes and register all phones."""
        try:
            for node in self.nodes.values():
                node.start()
            for name, home in self._homes.items():
                self.phones[name] = Phone(name, self._secrets[name], self.nodes[home].address)
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
        for name, home in self._homes.items():
            if home == node:
                self.phones[name].register()

    def plain_phone(self, name: str) -> PlainPhone:
        """A contact of the endpoint `name`; it registers as a context manager."""
        return PlainPhone(name, self._secrets[name], self.nodes[self._plain_homes[name]].address)

    def wait_for_trunks(self) -> None:
        """Wait until every node can call every other: one that started before its peer believes it gone for a while."""
        for node in self.nodes.values():
            node.wait_for_peers([peer for peer in self.nodes if peer != node.name])

    def quiet(self) -> None:
        """End every call everywhere."""
        for phone in self.phones.values():
            phone.hang_up_all()
        for node in self.nodes.values():
            if node.running:
                node.wait_until_silent()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
