"""Programs of Debian's that are not installed: where their packages come from on this machine, and where they are kept.

apt runs with a private configuration (own lists, own cache, an empty status), so it touches nothing of the machine and needs
no root. The programs run with the dynamic loader and the libraries unpacked beside them.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from localcluster.process import ServiceFailed

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_FETCH_DEADLINE = 900


def cache_folder() -> Path:
    """Where unpacked programs are kept (XDG Base Directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "roost"


def proxies() -> list[str]:
    """The machine's own proxy settings for apt, which a private configuration would miss."""
    dump = subprocess.run(
        ["apt-config", "dump"], capture_output=True, text=True, timeout=30, check=False
    ).stdout
    return [line for line in dump.splitlines() if re.match(r"Acquire::\w+::Proxy", line, re.IGNORECASE)]


def mirror(program: str) -> str:
    """The mirror that the machine's apt uses for Debian itself; `ServiceFailed` names the `program` that wants it."""
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
        f"{program} cannot be fetched: this machine's apt sources name no Debian mirror (a URI ending in /debian)"
    )


def os_release() -> dict[str, str]:
    """What /etc/os-release says of the machine."""
    pairs = (line.partition("=") for line in Path("/etc/os-release").read_text().splitlines())
    return {name: value.strip('"') for name, _, value in pairs}


def run(command: list[str], environment: Mapping[str, str]) -> None:
    """Run a program that fetches; its last words are in the `ServiceFailed` that it may end with."""
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
            f"Packages can be fetched on Debian and Ubuntu only: {command[0]} is missing"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ServiceFailed(f"{' '.join(command[:2])}: not within {_FETCH_DEADLINE} s") from error
    if done.returncode != 0:
        raise ServiceFailed(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def unpacked(
    program: str,
    source: str,
    packages: Sequence[str],
    suite: str | None,
    finish: Callable[[Path], None] = lambda _root: None,
) -> Path:
    """The folder of the cache in which these packages, with all they need, are unpacked; fetched first when there is none.

    They come from `suite` of the Debian mirror that the machine knows, or, with None, from wherever its own apt takes them. `finish` is
    given the folder once, before anybody sees it. Safe when several processes ask at once: apt stands two of its kind no more than this does.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"{program}-{source}-{platform.machine()}"
    if not root.exists():
        with (cache / "apt.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not root.exists():
                _fetch(program, packages, suite, finish, root)
    return root


def argv(root: Path, program: str, *arguments: str, more: Sequence[str] = ()) -> list[str]:
    """The command line that runs an unpacked program, given by its path in `root`, with the libraries beside it, and those of `more` folders."""
    loader = only(root, "usr/lib/*/ld-linux*.so.*", "lib/*/ld-linux*.so.*", "lib64/ld-linux*.so.*")
    libraries = [
        folder
        for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", *more)
        for folder in root.glob(pattern)
    ]
    path = ":".join(str(folder) for folder in libraries)
    return [str(loader), "--library-path", path, str(root / program), *arguments]


def only(root: Path, *patterns: str) -> Path:
    """The first file that one of the patterns finds."""
    for pattern in patterns:
        for found in sorted(root.glob(pattern)):
            return found
    raise ServiceFailed(f"{root} is not complete; remove it to fetch it again")


def _fetch(
    program: str, packages: Sequence[str], suite: str | None, finish: Callable[[Path], None], root: Path
) -> None:
    """Download and unpack beside `root`, then rename: a half-made one is never seen under that name."""
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=root.parent) as workplace:
        work = Path(workplace)
        configuration = _apt_configuration(work, program, suite)
        environment = {**os.environ, "APT_CONFIG": str(configuration), "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-qq", "update"], environment)
        run(["apt-get", "-qq", "-y", "--download-only", "install", *packages], environment)
        half_made = work / "root"
        for package in sorted((work / "cache/archives").glob("*.deb")):
            run(["dpkg", "-x", str(package), str(half_made)], environment)
        finish(half_made)
        shutil.copystat(work, half_made)
        half_made.rename(root)


def _apt_configuration(work: Path, program: str, suite: str | None) -> Path:
    for folder in ("etc/preferences.d", "etc/apt.conf.d", "state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    status = work / "state/status"
    status.touch()
    lines = [
        f'Dir::State "{work}/state";',
        f'Dir::State::status "{status}";',  # beside it apt makes its lock, so not /dev/null: only root may there
        f'Dir::Cache "{work}/cache";',
        'APT::Install-Recommends "false";',
        'APT::Sandbox::User "root";',
        'Acquire::Check-Valid-Until "false";',
        'Acquire::Retries "3";',
        *proxies(),
    ]
    if suite is not None:
        signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        (work / "etc/sources.list").write_text(f"deb {signed}{mirror(program)} {suite} main\n")
        lines += [f'Dir::Etc "{work}/etc";']
    path = work / "apt.conf"
    path.write_text("\n".join(lines) + "\n")
    return path
