"""A cluster of both kinds: Kamailios at which phones register, and Asterisks behind them, which may have phones of their own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from localcluster import ports
from localcluster.asterisk import AMI_PORT, AsteriskNode, SipPhone
from localcluster.kamailio import HTTP_PORT, PEER_PORT, SIP_PORT, KamailioNode
from localcluster.phones import Phone
from localcluster.plain_phone import PlainPhone


class MixedTelephony:
    """Nodes of both kinds and their phones, in one object.

    `kamailios` and `asterisks` map each node's name to its phones, which are registered, over TCP those named in `tcp`; `plain` are
    accounts by node, whose phones a test registers itself, with `plain_phone`. The Asterisks are the media nodes, the first one asked first;
    `site` is the text of their contexts, `defines` are more definitions of the Kamailios.
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
    ) -> None:
        plain = plain or {}
        names = [*kamailios, *asterisks]
        network = ports.free_network(ports=(SIP_PORT, PEER_PORT, HTTP_PORT, AMI_PORT))
        self.addresses = {name: f"{network}.{11 + place}" for place, name in enumerate(names)}
        proxies = {name: self.addresses[name] for name in kamailios}
        media = {name: self.addresses[name] for name in asterisks}
        self._tcp = tcp
        self.homes = {phone: node for node, phones in {**kamailios, **asterisks}.items() for phone in phones}
        self.plain_homes = {phone: node for node, phones in plain.items() for phone in phones}
        self.passwords = {phone: secrets.token_hex(12) for phone in (*self.homes, *self.plain_homes)}
        self.phones: dict[str, Phone] = {}
        self.asterisks = {
            name: AsteriskNode(
                name,
                address,
                folder / name,
                phones=[
                    SipPhone(phone, self.passwords[phone], f'"{phone}" <+1555{place:04d}>')
                    for place, phone in enumerate(asterisks[name])
                ],
                peers=media,
                proxies=proxies,
                centers=centers,
                site=site,
            )
            for name, address in media.items()
        }
        self.kamailios = {
            name: KamailioNode(
                name,
                address,
                folder / name,
                phones={phone: self.passwords[phone] for phone in (*kamailios[name], *plain.get(name, ()))},
                nodes={other: f"{place}:{PEER_PORT}" for other, place in proxies.items() if other != name}
                | {other: f"{place}:{SIP_PORT}" for other, place in media.items()},
                peers={place: other for other, place in self.addresses.items() if other != name},
                media=tuple(f"{place}:{SIP_PORT}" for place in media.values()),
                defines=defines,
            )
            for name, address in proxies.items()
        }

    def start(self) -> None:
        """Start all nodes and register all phones."""
        try:
            for kamailio in self.kamailios.values():
                kamailio.start()
            for asterisk in self.asterisks.values():
                asterisk.start()
            for name in self.homes:
                self.phones[name] = Phone(
                    name,
                    self.passwords[name],
                    self.addresses[self.homes[name]],
                    "tcp" if name in self._tcp else "udp",
                )
                self.phones[name].register()
            self.wait_for_trunks()
        except BaseException:
            self.stop()
            raise

    def wait_for_trunks(self) -> None:
        """Wait until every Asterisk reaches every other node."""
        for asterisk in self.asterisks.values():
            others = [*self.kamailios, *(name for name in self.asterisks if name != asterisk.name)]
            asterisk.wait_for_peers(others)

    def stop(self) -> None:
        """End all nodes."""
        for kamailio in self.kamailios.values():
            kamailio.stop()
        for asterisk in self.asterisks.values():
            asterisk.stop()

    def register(self, node: str) -> None:
        """Register the phones of a node again, as they do by themselves some time after it restarted."""
        for name, home in self.homes.items():
            if home == node:
                self.phones[name].register()

    def plain_phone(self, name: str) -> PlainPhone:
        """A contact of the account `name`; it registers as a context manager."""
        return PlainPhone(name, self.passwords[name], self.addresses[self.plain_homes[name]])

    def media_log_size(self) -> dict[str, int]:
        """How long the logs of the Asterisks are, for `media_logged`."""
        return {name: node.log_size() for name, node in self.asterisks.items()}

    def media_logged(self, since: Mapping[str, int]) -> str:
        """What the Asterisks logged since."""
        return "".join(node.logged_since(since[name]) for name, node in self.asterisks.items())

    def quiet(self) -> None:
        """End every call everywhere."""
        for phone in self.phones.values():
            phone.hang_up_all()
        for node in self.asterisks.values():
            if node.running:
                node.wait_until_silent()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
