"""One finding, and what several checks ask of an address."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: Nothing to mend, but good to know.
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, in a sentence, and how to mend it. Raises ValueError for one that is not OK and has no remedy."""

    check: str
    level: Level
    says: str
    mend: str = ""

    def __post_init__(self) -> None:
        if self.level is not Level.OK and not self.mend:
            raise ValueError(f"nothing is said of how to mend: {self.says}")


def is_public(host: str) -> bool:
    """Whether an address is outside loopback and private ranges; a name may be anything, and is believed."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_private or address.is_unspecified)


def is_everywhere(host: str) -> bool:
    """Whether who listens there listens on every network of the machine."""
    return host in {"", "0.0.0.0", "::", "*"}  # noqa: S104 - looked for, not listened on


def is_here(host: str) -> bool:
    """Whether it is this machine: nothing, a socket's folder, `localhost` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return not host or host.startswith(("/", "@")) or host == "localhost"
