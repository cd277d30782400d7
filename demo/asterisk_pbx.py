"""Two Asterisks with SIP phones, a lamp key and a queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from demo.cast import ORGANIZATION
from demo.lamp_and_queue import LAMPS, QUEUE_NODE, QUEUES, SITE
from demo.real_pbx import RealPbx
from localcluster.asterisk_install import asterisk_program
from localcluster.plain_phone import PlainPhone
from localcluster.telephony import Telephony

_FEATURES = Path(__file__).resolve().parents[1] / "asterisk" / "roost_features.conf.sample"
#: What fetching it is called.
FETCH = "Asterisk (unpacked; fetched once, 290 MB)"


class AsteriskPbx(RealPbx):
    """The meeting room's phone is registered at both."""

    words = "two Asterisk nodes and SIP phones"
    layout: Mapping[str, Sequence[str]] = {
        "n1": ["johns-phone", "front-desk", "meeting-room"],
        "n2": ["teds-extra", "meeting-room"],
    }
    fetch: Mapping[str, Callable[[], object]] = {FETCH: asterisk_program}
    parts = "two Asterisk nodes and their phones"

    def make(self, folder: Path) -> Telephony:
        """Both have the queue's dialplan."""
        return Telephony(
            folder,
            {
                node: {phone: f'"{phone}" <{phone}>' for phone in phones}
                for node, phones in self.layout.items()
            },
            plain={QUEUE_NODE: {LAMPS: f'"{LAMPS}" <{LAMPS}>'}},
            site=f'#include "{_FEATURES}"\n{SITE}',
            features={"queues.conf": QUEUES},
            dialplan_globals={"ROOST_QUEUE_NODE": QUEUE_NODE},
            endpoints=f"subscribe_context=roost-lamps-{ORGANIZATION}",
        )

    @property
    def lamps(self) -> PlainPhone | None:
        """It is of the node with the queue."""
        return self._running.plain_phone(LAMPS)
