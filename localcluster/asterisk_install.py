"""Asterisk for tests and demo, unpacked from the distribution's packages into a cache folder; nothing is installed.

Debian's releases have no Asterisk, but suite `sid` on the same mirror has; Ubuntu has one of its own. apt runs with a
private configuration (own lists, own cache, an empty status), so it touches nothing of the machine and needs no root.
The programs run with the dynamic loader and the libraries unpacked beside them. About 20 s once, 290 MB.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from localcluster import debian
from localcluster.process import ServiceFailed

_PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav")
_DEBIAN_SUITE = "sid"


@dataclass(frozen=True, slots=True)
class AsteriskProgram:
    """An unpacked Asterisk: its root folder and the folders that a node's configuration names."""

    root: Path

    def argv(self, *arguments: str) -> list[str]:
        """The command line that runs it with the libraries unpacked beside it."""
        loader = _only(self.root, "usr/lib/*/ld-linux*.so.*", "lib/*/ld-linux*.so.*", "lib64/ld-linux*.so.*")
        libraries = [
            folder
            for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")
            for folder in self.root.glob(pattern)
        ]
        path = ":".join(str(folder) for folder in libraries)
        return [str(loader), "--library-path", path, str(self.root / "usr/sbin/asterisk"), *arguments]

    @property
    def modules(self) -> Path:
        """The folder of `chan_pjsip.so` and the others."""
        return _only(self.root, "usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules")

    @property
    def data(self) -> Path:
        """The folder that holds `sounds`."""
        return self.root / "usr/share/asterisk"

    @property
    def library(self) -> Path:
        """astvarlibdir: documentation and the like."""
        return self.root / "var/lib/asterisk"

    def has_module(self, name: str) -> bool:
        """Whether module `name` (without .so) was unpacked; which ones there are differs between versions."""
        return (self.modules / f"{name}.so").exists()


def asterisk_program() -> AsteriskProgram:
    """The cached Asterisk; fetched first when there is none. Safe when several processes ask at once."""
    cache = debian.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    source = _DEBIAN_SUITE if _distribution() == "debian" else _release_name()
    root = cache / f"asterisk-{source}-{platform.machine()}"
    if not root.exists():
        with (cache / "asterisk.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not root.exists():
                _fetch(root)
    return AsteriskProgram(root)


def _fetch(root: Path) -> None:
    """Download and unpack beside `root`, then rename: a half-made one is never seen under that name."""
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=root.parent) as workplace:
        work = Path(workplace)
        configuration = _apt_configuration(work)
        environment = {**os.environ, "APT_CONFIG": str(configuration), "DEBIAN_FRONTEND": "noninteractive"}
        debian.run(["apt-get", "-qq", "update"], environment)
        debian.run(["apt-get", "-qq", "-y", "--download-only", "install", *_PACKAGES], environment)
        unpacked = work / "root"
        for package in sorted((work / "cache/archives").glob("*.deb")):
            debian.run(["dpkg", "-x", str(package), str(unpacked)], environment)
        sounds = unpacked / "usr/share/asterisk/sounds"
        if not (sounds / "en").exists():
            (sounds / "en").unlink(missing_ok=True)
            (sounds / "en").symlink_to("en_US_f_Allison")
        shutil.copystat(work, unpacked)
        unpacked.rename(root)


def _apt_configuration(work: Path) -> Path:
    for folder in ("etc/preferences.d", "etc/apt.conf.d", "state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    lines = [
        f'Dir::State "{work}/state";',
        f'Dir::State::status "{os.devnull}";',
        f'Dir::Cache "{work}/cache";',
        'APT::Install-Recommends "false";',
        'APT::Sandbox::User "root";',
        'Acquire::Check-Valid-Until "false";',
        'Acquire::Retries "3";',
        *debian.proxies(),
    ]
    if _distribution() == "debian":
        signed = f"[signed-by={debian.KEYRING}] " if debian.KEYRING.exists() else ""
        (work / "etc/sources.list").write_text(
            f"deb {signed}{debian.mirror('Asterisk')} {_DEBIAN_SUITE} main\n"
        )
        lines += [f'Dir::Etc "{work}/etc";']
    path = work / "apt.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def _distribution() -> str:
    return debian.os_release().get("ID", "")


def _release_name() -> str:
    return debian.os_release().get("VERSION_CODENAME", "unknown")


def _only(root: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for found in sorted(root.glob(pattern)):
            return found
    raise ServiceFailed(f"{root} is no complete Asterisk; remove it to fetch it again")
