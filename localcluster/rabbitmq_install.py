"""Which RabbitMQ runs: the machine's own package, or another release's in a cache folder."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster import debian
from localcluster.process import ServiceFailed

_SCRIPT_FOLDERS = (Path("/usr/lib/rabbitmq/bin"), Path("/opt/rabbitmq/sbin"))
#: The release of Debian that has each version of RabbitMQ which a machine may not have: `4` was 4.0 when this was written.
SUITES = {"4": "trixie", "4.3": "forky"}
#: Where RabbitMQ itself lies among its plugins, seen from the folder above its scripts.
_ITSELF = ("lib/rabbitmq_server-*/plugins/rabbit-[0-9]*", "plugins/rabbit-[0-9]*")
#: In a view of the file system of its own, so that the machine's /usr stays what it is.
_SEEN_AT_USR = 'mount --bind "$0" /usr && exec "$@"'


@dataclass(frozen=True, slots=True)
class RabbitProgram:
    """An installed RabbitMQ: the folder of its scripts. With `usr`, its processes see that folder as their /usr.

    Nothing else differs for them: folders, accounts and network are the machine's, so no data has to be carried over.
    """

    scripts: Path
    usr: Path | None = None

    @property
    def itself(self) -> Path | None:
        """RabbitMQ among its plugins, as its processes see that folder; None where plugins are no folders."""
        above = self.scripts.parent
        seen = above if self.usr is None else self.usr / above.relative_to("/usr")
        for pattern in _ITSELF:
            for found in seen.glob(pattern):
                return above / found.relative_to(seen)
        return None

    @property
    def erl_call(self) -> Path | None:
        """Erlang's own program that asks a node; None where it lies elsewhere."""
        usr = self.usr or Path("/usr")
        for found in usr.glob("lib/erlang/erts-*/bin/erl_call"):
            return Path("/usr") / found.relative_to(usr)
        return None

    def argv(self, command: Sequence[str]) -> list[str]:
        """`command`, run where this RabbitMQ and its Erlang are."""
        if self.usr is None:
            return list(command)
        view = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SEEN_AT_USR]
        return [*view, str(self.usr), *command]


def rabbitmq_program(version: str | None = None) -> RabbitProgram:
    """The machine's own; or one of SUITES, fetched when there is none yet. `ServiceFailed` says what is missing."""
    return _machine() if version is None else _of_release(SUITES[version])


def _machine() -> RabbitProgram:
    for folder in _SCRIPT_FOLDERS:
        if (folder / "rabbitmq-server").exists() and shutil.which("epmd"):
            return RabbitProgram(folder)
    raise ServiceFailed("RabbitMQ is missing: apt-get install --no-install-recommends rabbitmq-server")


def _of_release(suite: str) -> RabbitProgram:
    """From a small system made by mmdebstrap: 1 minute once, 230 MB. Safe when several processes ask at once."""
    if os.geteuid() != 0:
        raise ServiceFailed("RabbitMQ of another release needs root, to see another /usr than the machine's")
    cache = debian.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"rabbitmq-{suite}-{platform.machine()}"
    with (cache / "rabbitmq.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _make(root, suite)
    return RabbitProgram(_SCRIPT_FOLDERS[0], usr=root / "usr")


def _make(root: Path, suite: str) -> None:
    """Make it beside `root`, then rename: a half-made one is never seen under that name."""
    if not shutil.which("mmdebstrap"):
        raise ServiceFailed("RabbitMQ of another release needs mmdebstrap: apt-get install mmdebstrap")
    options = ["--variant=essential", "--include=rabbitmq-server", '--aptopt=APT::Install-Recommends "false"']
    options += [f"--aptopt={line}" for line in ('Acquire::Check-Valid-Until "false"', *debian.proxies())]
    with tempfile.TemporaryDirectory(prefix="making-", dir=root.parent) as workplace:
        made = Path(workplace) / "root"
        # What it mounts there goes with it, also when it is killed: else its /sys and /proc would be removed with the workplace.
        alone = ["unshare", "--mount", "--propagation", "private"]
        debian.run([*alone, "mmdebstrap", *options, suite, str(made), debian.mirror("RabbitMQ")], os.environ)
        made.rename(root)
