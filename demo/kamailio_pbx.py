"""Two Kamailios, at which phones register, before two Asterisks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from demo import asterisk_pbx
from demo.real_pbx import RealPbx
from localcluster.asterisk_install import asterisk_program
from localcluster.kamailio_install import kamailio_program
from localcluster.mixed import MixedTelephony

_FETCH = "Kamailio (unpacked; fetched once, 60 MB)"


class KamailioPbx(RealPbx):
    """The first Asterisk is a media node alone; the second is a node that has phones, too. The meeting room's is at a Kamailio and there."""

    words = "two Kamailios, two Asterisk nodes and SIP phones"
    layout: Mapping[str, Sequence[str]] = {
        "k1": ["johns-phone", "meeting-room"],
        "k2": ["teds-extra"],
        "n1": ["front-desk", "meeting-room"],
    }
    media = "m1"
    fetch: Mapping[str, Callable[[], object]] = {
        asterisk_pbx.FETCH: asterisk_program,
        _FETCH: kamailio_program,
    }
    parts = "two Kamailios, two Asterisk nodes and their phones"

    def make(self, folder: Path) -> MixedTelephony:
        """The Kamailios ask the media node first."""
        kamailios = {name: phones for name, phones in self.layout.items() if name.startswith("k")}
        return MixedTelephony(folder, kamailios, {self.media: [], "n1": self.layout["n1"]})
