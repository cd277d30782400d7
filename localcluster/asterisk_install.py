"""Asterisk for tests and demo, unpacked from the distribution's packages into a cache folder; nothing is installed.

Debian's releases have no Asterisk, but suite `sid` on the same mirror has; Ubuntu has one of its own. apt runs with a
private configuration (own lists, own cache, an empty status), so it touches nothing of the machine and needs no root.
The programs run with the dynamic loader and the libraries unpacked beside them. About 20 s once, 290 MB.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from localcluster.process import ServiceFailed

_PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav")
_FETCH_DEADLINE = 900
_DEBIAN_SUITE = "sid"
_DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


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


def cache_folder() -> Path:
    """Where unpacked programs are kept (XDG Base Directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "roost"


def asterisk_program() -> AsteriskProgram:
    """The cached Asterisk; fetched first when there is none. Safe when several processes ask at once."""
    cache = cache_folder()
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
        _run(["apt-get", "-qq", "update"], environment)
        _run(["apt-get", "-qq", "-y", "--download-only", "install", *_PACKAGES], environment)
        unpacked = work / "root"
        for package in sorted((work / "cache/archives").glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(unpacked)], environment)
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
        *_proxies(),
    ]
    if _distribution() == "debian":
        signed = f"[signed-by={_DEBIAN_KEYRING}] " if _DEBIAN_KEYRING.exists() else ""
        (work / "etc/sources.list").write_text(f"deb {signed}{_debian_mirror()} {_DEBIAN_SUITE} main\n")
        lines += [f'Dir::Etc "{work}/etc";']
    path = work / "apt.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def _proxies() -> list[str]:
    """The machine's own proxy settings for apt, which a private configuration would miss."""
    dump = subprocess.run(
        ["apt-config", "dump"], capture_output=True, text=True, timeout=30, check=False
    ).stdout
    return [line for line in dump.splitlines() if re.match(r"Acquire::\w+::Proxy", line, re.IGNORECASE)]


def _debian_mirror() -> str:
    """The mirror that the machine's apt uses for Debian itself."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    ).stdout
    for uri in listed.split():
        if uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    raise ServiceFailed(
        "Asterisk cannot be fetched: this machine's apt sources name no Debian mirror (a URI ending in /debian)"
    )


def _os_release() -> dict[str, str]:
    pairs = (line.partition("=") for line in Path("/etc/os-release").read_text().splitlines())
    return {name: value.strip('"') for name, _, value in pairs}


def _distribution() -> str:
    return _os_release().get("ID", "")


def _release_name() -> str:
    return _os_release().get("VERSION_CODENAME", "unknown")


def _run(command: list[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FETCH_DEADLINE,
            check=False,
        )
    except FileNotFoundError as error:
        raise ServiceFailed(
            f"Asterisk can be fetched on Debian and Ubuntu only: {command[0]} is missing"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ServiceFailed(f"{' '.join(command[:2])}: not within {_FETCH_DEADLINE} s") from error
    if done.returncode != 0:
        raise ServiceFailed(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _only(root: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for found in sorted(root.glob(pattern)):
            return found
    raise ServiceFailed(f"{root} is no complete Asterisk; remove it to fetch it again")
