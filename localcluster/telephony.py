"""Several Asterisk nodes with their phones, all in one object."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from localcluster.asterisk import AsteriskNode, SipPhone, node_addresses
from localcluster.asterisk_install import asterisk_program
from localcluster.nodes_with_phones import NodesWithPhones


class Telephony(NodesWithPhones):
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
        super().__init__(layout, plain)
        program = asterisk_program()
        addresses = node_addresses(*layout)
        self.nodes: dict[str, AsteriskNode] = {}
        for node, phones in layout.items():
            self.nodes[node] = self.make_node(
                node,
                addresses[node],
                folder / node,
                phones=[
                    *(
                        SipPhone(name, self.passwords[name], caller_id, settings=endpoints)
                        for name, caller_id in phones.items()
                    ),
                    *(
                        SipPhone(
                            name,
                            self.passwords[name],
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
