"""A real Kamailio node on a loopback address of its own, with the very configuration that operators copy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from localcluster import ports
from localcluster.kamailio_install import KamailioProgram, kamailio_program
from localcluster.pbx import Pbx, loopback_addresses
from localcluster.process import ServiceFailed, SupervisedProcess, wait_until

#: Where phones register, where nodes send calls to each other, and where Roost writes.
SIP_PORT, PEER_PORT, HTTP_PORT = 5060, 5062, 8060
SOURCES = Path(__file__).resolve().parents[1] / "kamailio"
_COMMAND_DEADLINE = 10


def kamailio_addresses(*names: str) -> dict[str, str]:
    """An address for each node, 127.x.y.11 and up, on a loopback network that nobody uses now."""
    return loopback_addresses(names, (SIP_PORT, PEER_PORT, HTTP_PORT))


class KamailioNode(Pbx):
    """One node. `phones` are names and passwords; `nodes` says where the other nodes take calls, `peers` from which addresses calls come.

    `media` are the addresses of one or two Asterisks; `defines` are more lines of local.cfg's definitions. With a `certificate`, a PEM file that
    holds its key too, phones may come by TLS; with an `authority`, whose certificates clients need, Roost must. The table is in memory alone.
    """

    kind = "kamailio"
    control_port = HTTP_PORT

    def __init__(
        self,
        name: str,
        address: str,
        folder: Path,
        *,
        phones: Mapping[str, str] | None = None,
        nodes: Mapping[str, str] | None = None,
        peers: Mapping[str, str] | None = None,
        media: tuple[str, ...] = (),
        defines: str = "",
        certificate: Path | None = None,
        authority: Path | None = None,
        memory: int = 64,
        program: KamailioProgram | None = None,
    ) -> None:
        super().__init__(name, address, folder)
        self.phones = dict(phones or {})
        self._nodes = dict(nodes or {})
        self._peers = dict(peers or {})
        self._media = media
        self._defines = defines
        self._certificate, self._authority = certificate, authority
        self._program = program or kamailio_program()
        self._run = self.folder / "run"
        self._control = self._socket_path(self._run / "ctl.sock")
        self.process = SupervisedProcess(
            f"Kamailio node {name}",
            self._program.argv(
                "-DD", "-E", "-f", str(self.folder / "kamailio.cfg"), "-P", str(self._run / "pid"),
                "-Y", str(self._run), "-m", str(memory), "-M", "16",
            ),
            log=self.folder / "log",
            folder=self._run,
            ready=lambda: ports.answers(HTTP_PORT, self.address),
        )  # fmt: skip

    @property
    def log(self) -> Path:
        """What Kamailio logs, its call records too."""
        return self.folder / "log"

    def start(self) -> None:
        """Write the configuration and start; ready when Roost can reach it."""
        self._run.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # secrets
        (self.folder / "kamailio.cfg").write_text(self._configuration())
        shutil.copy(SOURCES / "roost.cfg", self.folder)
        (self.folder / "local.cfg").write_text(self._local())
        (self.folder / "peers.cfg").write_text(self._in_memory())
        if self._certificate:
            (self.folder / "tls.cfg").write_text(self._tls())
        super().start()

    def stop(self) -> None:
        """Orderly end; the table is lost all the same."""
        super().stop()
        self._wait_until_gone()

    def kill(self) -> None:
        """SIGKILL to all its processes."""
        super().kill()
        self._wait_until_gone()

    def rpc(self, *command: str) -> str:
        """Run a command of Kamailio's own, such as ("htable.flush", "roost"), over its control socket; returns what it answered."""
        done = subprocess.run(
            self._program.kamcmd("-s", f"unix:{self._control}", *command),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COMMAND_DEADLINE, check=False,
        )  # fmt: skip
        if done.returncode != 0 or done.stdout.startswith("error"):
            raise ServiceFailed(f"{self.name}: {command} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _configuration(self) -> str:
        """The whole kamailio.cfg."""
        return (SOURCES / "site.cfg.sample").read_text()

    def _wait_until_gone(self) -> None:
        """Its children go on for a moment, and hold its ports."""
        wait_until(lambda: not ports.answers(HTTP_PORT, self.address), 10, f"{self.name} is gone")

    def _local(self) -> str:
        media = "".join(
            f'#!define ROOST_MEDIA{place} "{address}"\n'
            for place, address in zip(("", "_2"), self._media or ("127.0.0.1:9",), strict=False)
        )
        tls = f'#!define SITE_TLS\n#!substdef "!SITE_TLS_CFG!{self.folder}/tls.cfg!g"\n'
        https = "#!define SITE_HTTPS\n"
        return f"""#!substdef "!SITE_ADDRESS!{self.address}!g"
#!substdef "!SITE_PRIVATE!{self.address}!g"
#!substdef "!SITE_RUN!{self._run}!g"
{tls if self._certificate else ""}{https if self._authority else ""}#!define ROOST_NODE "{self.name}"
#!define ROOST_SECRET "{self.secret}"
#!define ROOST_HTTP_PORT {HTTP_PORT}
#!define ROOST_HTTP_FROM "^127\\.0\\.0\\.1$"
#!define ROOST_DOMAIN "{self.address}"
#!define ROOST_PEER_PORT {PEER_PORT}
#!define ROOST_PEER_SOCKET "udp:{self.address}:{PEER_PORT}"
#!define ROOST_FEATURE "*30"
#!define ROOST_EMERGENCY_NUMBERS "^(112|911)$"
{media}{self._defines or "#!define ROOST_RING_MS 30000"}
"""

    def _in_memory(self) -> str:
        entries = [
            f'$sht(roost_peer=>{self.address}) = "{self.name}";',
            *(f'$sht(roost_node=>{name}) = "{place}";' for name, place in self._nodes.items()),
            *(f'$sht(roost_peer=>{address}) = "{name}";' for address, name in self._peers.items()),
            *(f'$sht(site_password=>{name}) = "{password}";' for name, password in self.phones.items()),
        ]
        return "event_route[htable:mod-init] {\n\t" + "\n\t".join(entries) + "\n}\n"

    def _tls(self) -> str:
        ours = f"method = TLSv1.2+\ncertificate = {self._certificate}\nprivate_key = {self._certificate}\n"
        roost = f"[server:{self.address}:{HTTP_PORT}]\n{ours}require_certificate = yes\nca_list = {self._authority}\n"
        return (
            f"[server:default]\n{ours}{roost if self._authority else ''}[client:default]\nmethod = TLSv1.2+\n"
        )
