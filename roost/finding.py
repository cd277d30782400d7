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
    """What a check found, in a sentence, and how to mend it."""

    check: str
    level: Level
    says: str
    mend: str = ""


def is_public(host: str) -> bool:
    """Whether an address is outside loopback and private ranges; a name may be anything, and is believed."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_private or address.is_unspecified)
