"""Programs of Debian's that are not installed: where their packages come from on this machine, and where they are kept."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
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
