"""Kamailio as Debian's releases have it."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from localcluster.kamailio import HTTP_PORT, KamailioNode, kamailio_addresses
from localcluster.kamailio_install import DEFAULT_SUITE, SUITES, kamailio_program
from roost.pbx.kamailio import KIND
from roost.pbx.node import Key, NodeAddress
from tests.conformance.targets import ServiceTarget


class Kamailio(ServiceTarget):
    """A node whose memory is reached by its own HTTP, with no adapter, and by its control socket."""

    kind = KIND
    service: KamailioNode
    product = "Kamailio "
    too_long = 2_000
    long_change = 100_000
    unreadable: Sequence[tuple[Key, str]] = (
        (("e", "0001*009"), "nonsense"),
        (("e", "0001*009"), ""),
        (("e", "0001*009"), "n1/a/b"),
        (("e", "0001*009"), "x" * 4_000),
        (("p", "x"), "a,b"),
        (("p", "x"), "%FF,,,,,,,"),
    )

    def __init__(self, folder: Path, suite: str) -> None:
        (address,) = kamailio_addresses("k1").values()
        self.service = KamailioNode("k1", address, folder, program=kamailio_program(suite))
        self.address = self.service.control

    @property
    def wrong_logins(self) -> Sequence[NodeAddress]:
        return [replace(self.address, secret=SecretStr(wrong)) for wrong in ("not the secret", "x")]

    def wipe(self) -> None:
        self.service.rpc("htable.flush", "roost")

    def store(self, key: Key | None, stored: str) -> None:
        self._put("cursor" if key is None else "/".join(key), stored)

    def store_what_others_keep(self) -> None:
        for key in ("x/y", "E/0001*1", "cursors", "p"):
            self._put(key, "n1/desk-1")

    def ask(self, method: str, path: str, body: str = "") -> str:
        """One request, with the right secret."""
        connection = http.client.HTTPConnection(self.address.host, HTTP_PORT, timeout=10)
        headers = {"Authorization": f"Bearer {self.service.secret}"}
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse().read().decode()
        connection.close()
        return answer

    def _put(self, key: str, value: str) -> None:
        life = self.ask("GET", "/roost/cursor").split("\n")[1]
        assert self.ask("POST", f"/roost/apply/{life}", f"={key}\t{value}\n") == "1\n"


OTHER_VERSIONS = {f"kamailio-{suite}" for suite in SUITES if suite != DEFAULT_SUITE}
TARGETS = {f"kamailio-{suite}": partial(Kamailio, suite=suite) for suite in SUITES}
