"""A real Asterisk node on a loopback address of its own, with the dialplan that operators include."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from localcluster import asterisk_console, ports
from localcluster.asterisk_files import (
    AMI_PORT,
    AMI_TLS_PORT,
    AMI_USER,
    GIVEN_UP,
    SIP_PORT,
    NodeFiles,
    SipPhone,
)
from localcluster.asterisk_install import AsteriskProgram, asterisk_program
from localcluster.pbx import Pbx, loopback_addresses
from localcluster.process import ServiceFailed, SupervisedProcess, tail, wait_until

__all__ = ["AMI_PORT", "AMI_TLS_PORT", "AMI_USER", "SIP_PORT", "AsteriskNode", "SipPhone", "node_addresses"]

_RTP_PORTS = 200
_COMMAND_DEADLINE = 10


def node_addresses(*names: str) -> dict[str, str]:
    """An address for each node, 127.x.y.11 and up, on a loopback network that nobody uses now."""
    return loopback_addresses(names, (SIP_PORT, AMI_PORT, AMI_TLS_PORT))


class AsteriskNode(Pbx):
    """One node. `peers` maps the names of all Asterisk nodes to their addresses, `proxies` those of Kamailios; `centers` is one or two HOST:PORT.

    `site` is the text of the contexts that an operator writes (see asterisk/roost_site.conf.sample). `features` are more
    files of its configuration, by name, such as queues.conf. `dialplan_globals` adds to, or replaces, the globals of roost.conf. AMI listens on `address`:5038, user `roost`, password `secret`; with
    a `certificate`, a PEM file that holds its key too, also on `address`:5039 by TLS.
    After `stop` its database has all; after `kill` what it took in the last second or so is lost. `dialplan`: the text of another dialplan, instead of Roost's own and the site's; the
    trunks from other nodes lead to `trunk_context`.
    """

    kind = "asterisk"
    control_port = AMI_PORT
    options: ClassVar[dict[str, object]] = {"username": AMI_USER}

    def __init__(
        self,
        name: str,
        address: str,
        folder: Path,
        *,
        phones: Sequence[SipPhone] = (),
        peers: Mapping[str, str] | None = None,
        centers: Sequence[str] = (),
        site: str = "",
        features: Mapping[str, str] | None = None,
        dialplan_globals: Mapping[str, str] | None = None,
        program: AsteriskProgram | None = None,
        certificate: Path | None = None,
        dialplan: str = "",
        trunk_context: str = "roost-from-node",
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, address, folder)
        self.phones = {phone.name: phone for phone in phones}
        self._program = program or asterisk_program()
        first_rtp_port = ports.free_range(_RTP_PORTS, address)
        self._files = NodeFiles(
            name=name,
            address=address,
            folder=self.folder,
            modules=self._program.modules,
            data=self._program.data,
            library=self._program.library,
            secret=self.secret,
            phones=phones,
            peers=peers or {},
            dialplan_globals={
                "ROOST_NODE": name,
                "ROOST_NODES": "&".join(peer for peer in [*(peers or {}), *(proxies or {})] if peer != name),
                **_center_globals(centers),
                **(dialplan_globals or {}),
            },
            site=site,
            features=features or {},
            first_rtp_port=first_rtp_port,
            last_rtp_port=first_rtp_port + _RTP_PORTS - 1,
            certificate=certificate,
            dialplan=dialplan,
            trunk_context=trunk_context,
            proxies=proxies or {},
        )
        self._control = self._socket_path(self.folder / "run" / "asterisk.ctl")
        self._settings = self.folder / "etc" / "asterisk.conf"
        self.process = SupervisedProcess(
            f"Asterisk node {name}",
            self._program.argv("-f", "-C", str(self._settings)),
            log=self.folder / "log" / "console",
            folder=None,
            ready=self._booted,
            start_deadline=30.0,
        )

    @property
    def log(self) -> Path:
        """Asterisk's own log, verbose level 3."""
        return self.folder / "log" / "messages"

    def start(self) -> None:
        """Write the configuration and start; ready when every module is loaded."""
        self._files.write()
        self._control.unlink(missing_ok=True)  # a killed Asterisk leaves it, and it would look ready
        try:
            super().start()
        except ServiceFailed as failure:
            raise ServiceFailed(f"{failure}\nLast lines of {self.log}:\n{self.log_tail()}") from failure

    def delete_database(self) -> None:
        """Remove its AstDB; it must not run."""
        if self.running:
            raise ServiceFailed(f"{self.name} is running; stop it before its database is deleted")
        for path in (self.folder / "db").glob("astdb.sqlite3*"):
            path.unlink()

    def cli(self, command: str) -> str:
        """Run one console command, as `asterisk -rx` does; returns what it printed."""
        try:
            return asterisk_console.ask(self._control, command, _COMMAND_DEADLINE)
        except OSError as error:
            raise ServiceFailed(f"{self.name}: {command!r} failed: {error}") from error

    def set_global(self, name: str, value: str) -> None:
        """Set a dialplan global, such as ROOST_CENTER_SECONDS, until the node restarts; no spaces in it."""
        self.cli(f"dialplan set global {name} {value or chr(34) * 2}")

    def set_centers(self, *centers: str) -> None:
        """Which centers the next call to the feature code asks, until the node restarts."""
        for name, value in _center_globals(centers).items():
            self.set_global(name, value)

    def database_put(self, family: str, key: str, value: str) -> None:
        """Write one AstDB entry, such as ("roost/e", "0001*001", "n1/p1"); no spaces or quotes in it."""
        printed = self.cli(f"database put {family} {key} {value}")
        if "successfully" not in printed:
            raise ServiceFailed(f"{self.name}: {printed}")

    def database_show(self, family: str) -> dict[str, str]:
        """What one AstDB family holds: keys such as "/roost/e/0001*001"."""
        pairs = (line.partition(":") for line in self.cli(f"database show {family}").splitlines())
        return {key.strip(): value.strip() for key, _, value in pairs if key.startswith("/")}

    def database_clear(self, family: str = "roost") -> None:
        """Delete one AstDB family."""
        self.cli(f"database deltree {family}")

    def channels(self) -> list[str]:
        """The names of the channels that are up."""
        return [
            line.split("!")[0] for line in self.cli("core show channels concise").splitlines() if "!" in line
        ]

    def talks(self, phone: str) -> int:
        """How many calls of this phone are bridged to their other party; an answered one is a moment before that."""
        calls = [
            line.split("!") for line in self.cli("core show channels concise").splitlines() if "!" in line
        ]
        bridges = Counter(call[-2] for call in calls if call[-2])  # one party may come in before the other
        return sum(call[0].startswith(f"PJSIP/{phone}-") and bridges[call[-2]] > 1 for call in calls)

    def is_talking(self, phone: str) -> bool:
        """Whether a call of this phone is bridged to its other party."""
        return self.talks(phone) > 0

    def wait_until_silent(self, deadline: float = 10.0) -> None:
        """Wait until no call is left."""
        wait_until(lambda: not self.channels(), deadline, f"no call left on {self.name}")

    def wait_for_peers(self, peers: Sequence[str], back_at: float, deadline: float = 20.0) -> None:
        """Wait until each of these nodes, all of them there since `back_at` (monotonic), answers over its trunk.

        A question that was asked before that, and got no answer, makes the node that asked believe its peer gone when it is given up.
        """

        def answered() -> bool:
            if time.monotonic() < back_at + GIVEN_UP + 0.5:
                return False
            contacts = self.cli("pjsip show contacts")
            return all(re.search(rf"Contact: +{peer}/.* Avail ", contacts) for peer in peers)

        wait_until(answered, deadline, f"{self.name} reaches {', '.join(peers)}")

    def cdr(self) -> list[list[str]]:
        """The call records written so far: the columns of cdr_csv, account code first."""
        path = self.folder / "log" / "cdr-csv" / "Master.csv"
        return list(csv.reader(path.read_text().splitlines())) if path.exists() else []

    def peer_records(self) -> list[list[str]]:
        """For each call record, account code, caller, extension called, and account code of who was called."""
        path = self.folder / "log" / "cdr-custom" / "peers.csv"
        return list(csv.reader(path.read_text().splitlines())) if path.exists() else []

    def log_tail(self, lines: int = 25) -> str:
        """The last lines of Asterisk's own log."""
        return tail(self.log, lines)

    def _booted(self) -> bool:
        if not self._control.exists():
            return False
        try:
            return "fully booted" in self.cli("core waitfullybooted")
        except ServiceFailed:
            return False


def _center_globals(centers: Sequence[str]) -> dict[str, str]:
    first, second = (*centers, "", "")[:2]
    return {"ROOST_CENTER": first, "ROOST_CENTER_2": second}
