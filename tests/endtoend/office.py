"""A whole running Roost with two real Asterisk nodes and real phones, and what people do and see there."""

from __future__ import annotations

import re
from functools import partial
from itertools import chain

from localcluster.asterisk import AMI_PORT, AsteriskNode
from localcluster.phones import Phone
from localcluster.product import Product
from localcluster.telephony import Telephony
from roost.nodes.routes import everything
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Key, key_of
from tests.caller import Heard
from tests.cluster import Cluster, wait_until

#: Each node's phones. `carrier` stands for the world outside; the others have an extension of their own.
LAYOUT = {
    "n1": {"desk001": '"Desk 1" <+15550101>', "desk003": '"Desk 3" <+15550103>'},
    "n2": {
        "desk002": '"Desk 2" <+15550102>',
        "desk004": '"Desk 4" <+15550104>',
        "carrier": '"Carrier" <+15550100>',
    },
}
#: How an outcome names the extension 001.
SAYS_001 = ["extension", "digits/0", "digits/0", "digits/1"]
HOMES = {"001": "n1", "002": "n2", "003": "n1", "004": "n2"}

SITE = """
[roost-emergency-numbers]
exten => 112,1,Goto(roost-emergency,${EXTEN},1)

[roost-outgoing]
exten => 112,1,Dial(PJSIP/carrier)
exten => _+1555.,1,Dial(PJSIP/carrier)
"""

_PLAYED = re.compile(r"Playing '([\w/-]+)")
_ASKS = "agent-pass"
_ANNOUNCED = re.compile(r"call_done .*outcome=(\w+)")


class Office(Cluster):
    """Organization 0001: 001 and 003 have their phones on node n1, 002 and 004 on n2."""

    def __init__(self, product: Product, telephony: Telephony) -> None:
        super().__init__(product)
        self.telephony = telephony
        for name, node in telephony.nodes.items():
            self.add_node(name, host=node.address, port=AMI_PORT, secret=node.secret)

    @property
    def nodes(self) -> dict[str, AsteriskNode]:
        """The Asterisk nodes."""
        return self.telephony.nodes

    @property
    def phones(self) -> dict[str, Phone]:
        """The phones, registered."""
        return self.telephony.phones

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

    def code(self, number: str) -> str:
        """The secret code of an extension."""
        return self.world.codes["0001", number]

    # --- when ---

    def sit(self, number: str, phone: str) -> None:
        """Its owner dials `*30<number>` on the phone and keys the right code; without a real phone, for speed."""
        center = list(LAYOUT).index(self.home(phone))
        heard = self.call(phone, f"*30{number}", self.code(number), center=center, node=self.home(phone))
        assert heard.outcome == "virtualized"

    def dial_center(self, phone: str, dialled: str, *codes: str, bare: bool = False) -> Heard:
        """Dial on the real phone, key each code when it is asked for ('' keys nothing), and listen to the end.

        `bare`: without a `#` behind it.
        """
        node = self.nodes[self.home(phone)]
        logged = node.log_size()
        centers = [(process.log, process.log.stat().st_size) for process in self.product.of_kind("center")]
        call = self.phones[phone].dial(dialled)
        call.wait_up()
        for place, digits in enumerate(codes, 1):
            wait_until(partial(_asked, node, logged, place), f"code {place} is asked for", 15)
            if digits:
                call.send_dtmf(digits if bare else f"{digits}#")
        call.wait_over(30)
        announced = [_ANNOUNCED.findall(log.read_bytes()[since:].decode()) for log, since in centers]
        return Heard(_played(node, logged), *chain(*announced))

    def bring_back(self, node: str) -> None:
        """After the node's Asterisk was started again: its phones register, and the other node sees it."""
        self.telephony.register(node)
        for other in self.nodes.values():
            wait_until(partial(_reaches_all, other), f"{other.name} reaches all it knows")

    # --- then ---

    def right(self, node: str) -> bool:
        """Whether the node has exactly what the database says."""
        return self.node_holds(node) == self.truth()

    def agree(self) -> None:
        """Every node has every route, and both have exactly what the database says."""
        self.settled()
        truth = self.truth()
        for node in self.nodes:
            assert self.node_holds(node) == truth

    def truth(self) -> dict[Key, Change | None]:
        """The table that every node must have."""
        with self.database.connection() as connection:
            return {key_of(change): change for change in everything(connection)}

    def node_holds(self, node: str) -> dict[Key, Change | None]:
        """All that a node holds now."""
        connection = connect(self.nodes[node].control, 5)
        try:
            return connection.dump()
        finally:
            connection.close()

    def reaches(self, caller: str, number: str, phone: str) -> tuple[str, str]:
        """A call from a real phone rings at `phone` and nowhere else, and is answered; the caller it presents."""
        call = self.phones[caller].dial(number)
        ring = self.phones[phone].wait_ring()
        ring.answer()
        call.wait_up()
        assert self.silent()
        ring.hang_up()
        call.wait_over()
        return ring.caller_number, ring.caller_name

    def reaches_nobody(self, caller: str, number: str) -> None:
        """A call from a real phone rings nowhere: the caller hears so, and it ends."""
        node = self.nodes[self.home(caller)]
        logged = node.log_size()
        call = self.phones[caller].dial(number)
        call.wait_over()
        assert call.close_reason.startswith("480")
        assert _played(node, logged) == ["vm-nobodyavail"]
        assert self.silent()

    def silent(self) -> bool:
        """Whether no phone rang that nobody waited for."""
        return not any(phone.has_rung for phone in self.phones.values())

    @staticmethod
    def home(phone: str) -> str:
        """The node of a phone."""
        return next(node for node, phones in LAYOUT.items() if phone in phones)


def _played(node: AsteriskNode, since: int) -> list[str]:
    """The prompts that an Asterisk played since its log was so long."""
    return _PLAYED.findall(node.logged_since(since))


def _asked(node: AsteriskNode, since: int, times: int) -> bool:
    """Whether a code was asked for so often."""
    return _played(node, since).count(_ASKS) >= times


def _reaches_all(node: AsteriskNode) -> bool:
    """Whether the node's phones and the other nodes answer it."""
    return "Unavail" not in node.cli("pjsip show contacts")
