"""Two real Asterisk nodes with real phones, and the people of one organization there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from localcluster.asterisk import AsteriskNode
from localcluster.call_logs import AsteriskLog
from localcluster.telephony import Telephony
from tests.cluster import wait_until
from tests.phone_cluster import PhoneCluster

TOP = Path(__file__).parents[2]
#: Each node's phones. `carrier` stands for the world outside; the others have an extension of their own.
LAYOUT = {
    "n1": {"desk001": '"Desk 1" <+15550101>', "desk003": '"Desk 3" <+15550103>'},
    "n2": {
        "desk002": '"Desk 2" <+15550102>',
        "desk004": '"Desk 4" <+15550104>',
        "carrier": '"Carrier" <+15550100>',
    },
}
#: A phone that a test registers itself, and that shows every message.
PLAIN = {"n2": {"desk005": '"Desk 5" <+15550105>'}}
HOMES = {"001": "n1", "002": "n2", "003": "n1", "004": "n2"}

SITE = (
    f"""
#include "{TOP}/asterisk/roost_features.conf.sample"
"""
    """
[roost-emergency-numbers]
exten => 112,1,Goto(roost-emergency,${EXTEN},1)

[roost-outgoing]
exten => 112,1,Dial(PJSIP/carrier)
exten => _+1555.,1,Dial(PJSIP/carrier)
"""
)


class Office(PhoneCluster):
    """Organization 0001: 001 and 003 have their phones on node n1, 002 and 004 on n2."""

    telephony: Telephony

    @property
    def nodes(self) -> dict[str, AsteriskNode]:
        """The Asterisk nodes."""
        return self.telephony.nodes

    def open(self, **organization: object) -> None:
        """Everybody at home, with a new code, and both nodes know it; the nodes name different centers first."""
        self.reset()
        self.world.organization(**organization)  # type: ignore[arg-type]  # columns by name
        for number, node in HOMES.items():
            self.world.desk(number, node=node)
        first, second = self.product.centers
        self.nodes["n1"].set_centers(first, second)
        self.nodes["n2"].set_centers(second, first)
        self.agree()

    # --- when ---

    def sit(self, number: str, phone: str) -> None:
        """Its owner dials `*30<number>` on the phone and keys the right code; without a real phone, for speed."""
        center = list(LAYOUT).index(self.home(phone))
        heard = self.call(phone, f"*30{number}", self.code(number), center=center, node=self.home(phone))
        assert heard.outcome == "virtualized"

    def bring_back(self, node: str) -> None:
        """After the node's Asterisk was started again: its phones register, and the other node sees it."""
        self.telephony.register(node)
        self.telephony.wait_for_trunks()
        for other in self.nodes.values():
            wait_until(partial(_reaches_all, other), f"{other.name} reaches all it knows")

    # --- then ---

    def reaches_nobody(self, caller: str, number: str) -> None:
        """A call from a real phone rings nowhere: the caller hears so, and it ends."""
        log = AsteriskLog(self.nodes[self.home(caller)])
        call = self.phones[caller].dial(number)
        call.wait_over()
        assert call.close_reason.startswith("480")
        assert log.prompts == ["vm-nobodyavail"]
        assert self.silent()


def _reaches_all(node: AsteriskNode) -> bool:
    """Whether the node's phones and the other nodes answer it."""
    return "Unavail" not in node.cli("pjsip show contacts")
