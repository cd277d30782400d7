"""Kamailio for tests and demo, unpacked from Debian's packages into a cache folder; nothing is installed. About 15 s once, 60 MB.

Each release of Debian has one of its own, so several versions are to be had on one machine.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from localcluster import debian

_PACKAGES = ("kamailio", "kamailio-tls-modules", "kamailio-presence-modules")
#: The suites of Debian, and the first digits of the version that each had when this was written.
SUITES = {"bookworm": "5.6", "trixie": "6.0", "sid": "6."}
#: The one that tests and demo use where nothing depends on the version.
DEFAULT_SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class KamailioProgram:
    """An unpacked Kamailio."""

    root: Path

    def argv(self, *arguments: str) -> list[str]:
        """The command line that runs it with the libraries and modules unpacked beside it."""
        return debian.argv(
            self.root, "usr/sbin/kamailio", "-L", str(self.modules), *arguments, more=("usr/lib/*/kamailio",)
        )

    def kamcmd(self, *arguments: str) -> list[str]:
        """The command line of the program that speaks to a control socket."""
        return debian.argv(self.root, "usr/sbin/kamcmd", *arguments)

    @property
    def modules(self) -> Path:
        """The folder of `htable.so` and the others."""
        return debian.only(self.root, "usr/lib/*/kamailio/modules")


def kamailio_program(suite: str = DEFAULT_SUITE) -> KamailioProgram:
    """The cached Kamailio of a suite of Debian; fetched first when there is none. Safe when several processes ask at once."""
    return KamailioProgram(debian.unpacked("kamailio", suite, _PACKAGES, suite))


if __name__ == "__main__":  # script/setup
    parser = argparse.ArgumentParser(description="Fetch Kamailio into the cache.")
    parser.add_argument("suites", nargs="*", default=[DEFAULT_SUITE])
    for each in parser.parse_args().suites:
        kamailio_program(each)
