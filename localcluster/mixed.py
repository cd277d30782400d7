"""A cluster of both kinds: Kamailios at which phones register, and Asterisks behind them, which may have phones of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from localcluster.asterisk import AMI_PORT, AsteriskNode, SipPhone
from localcluster.kamailio import HTTP_PORT, PEER_PORT, SIP_PORT, KamailioNode
from localcluster.kamailio_install import KamailioProgram
from localcluster.nodes_with_phones import NodesWithPhones
from localcluster.pbx import loopback_addresses


class MixedTelephony(NodesWithPhones):
    """Nodes of both kinds and their phones, in one object.

    `kamailios` and `asterisks` map each node's name to its phones, which are registered, over TCP those named in `tcp`; `plain` are
    accounts by node, whose phones a test registers itself, with `plain_phone`, two of each at most at an Asterisk; those of an Asterisk in `withheld` are kept from others.
    The Asterisks are the media nodes, the first one asked first;
    `site` is the text of their contexts, `defines` are more definitions of the Kamailios, and
    `kamailio` another version than the usual one.
    """

    def __init__(
        self,
        folder: Path,
        kamailios: Mapping[str, Sequence[str]],
        asterisks: Mapping[str, Sequence[str]],
        *,
        plain: Mapping[str, Sequence[str]] | None = None,
        centers: Sequence[str] = (),
        site: str = "",
        defines: str = "",
        tcp: Sequence[str] = (),
        withheld: Sequence[str] = (),
        kamailio: KamailioProgram | None = None,
    ) -> None:
        plain = plain or {}
        super().__init__({**kamailios, **asterisks}, plain, tcp)
        names = [*kamailios, *asterisks]
        addresses = loopback_addresses(names, (SIP_PORT, PEER_PORT, HTTP_PORT, AMI_PORT))
        proxies = {name: addresses[name] for name in kamailios}
        media = {name: addresses[name] for name in asterisks}
        self.kamailios = {
            name: KamailioNode(
                name,
                address,
                folder / name,
                phones={phone: self.passwords[phone] for phone in (*kamailios[name], *plain.get(name, ()))},
                nodes={other: f"{place}:{PEER_PORT}" for other, place in proxies.items() if other != name}
                | {other: f"{place}:{SIP_PORT}" for other, place in media.items()},
                peers={place: other for other, place in addresses.items() if other != name},
                media=tuple(f"{place}:{SIP_PORT}" for place in media.values()),
                defines=defines,
                program=kamailio,
            )
            for name, address in proxies.items()
        }
        self.nodes = self.kamailios | {
            name: AsteriskNode(
                name,
                address,
                folder / name,
                phones=[
                    SipPhone(
                        phone,
                        self.passwords[phone],
                        f'"{phone}" <+1555{place:04d}>',
                        contacts=1 + (phone in plain.get(name, ())),
                        settings="callerid_privacy=prohib" * (phone in withheld),
                    )
                    for place, phone in enumerate((*asterisks[name], *plain.get(name, ())))
                ],
                peers=media,
                proxies=proxies,
                centers=centers,
                site=site,
            )
            for name, address in media.items()
        }
