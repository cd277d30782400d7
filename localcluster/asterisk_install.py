"""Asterisk for tests and demo, unpacked from the distribution's packages into a cache folder; nothing is installed.

Debian's releases have no Asterisk, but suite `sid` on the same mirror has; Ubuntu has one of its own. About 20 s once, 290 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localcluster import debian

_PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav")
_DEBIAN_SUITE = "sid"


@dataclass(frozen=True, slots=True)
class AsteriskProgram:
    """An unpacked Asterisk: its root folder and the folders that a node's configuration names."""

    root: Path

    def argv(self, *arguments: str) -> list[str]:
        """The command line that runs it with the libraries unpacked beside it."""
        return debian.argv(self.root, "usr/sbin/asterisk", *arguments)

    @property
    def modules(self) -> Path:
        """The folder of `chan_pjsip.so` and the others."""
        return debian.only(self.root, "usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules")

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
    is_debian = debian.os_release().get("ID", "") == "debian"
    source = _DEBIAN_SUITE if is_debian else debian.os_release().get("VERSION_CODENAME", "unknown")
    suite = _DEBIAN_SUITE if is_debian else None
    return AsteriskProgram(debian.unpacked("asterisk", source, _PACKAGES, suite, _link_sounds))


def _link_sounds(unpacked: Path) -> None:
    sounds = unpacked / "usr/share/asterisk/sounds"
    if not (sounds / "en").exists():
        (sounds / "en").unlink(missing_ok=True)
        (sounds / "en").symlink_to("en_US_f_Allison")
