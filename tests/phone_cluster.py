"""A whole running Roost with real PBX nodes and real phones: what people do there, and what they see and hear."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from localcluster.asterisk import AsteriskNode
from localcluster.call_logs import AsteriskLog, CenterLog
from localcluster.caller import Heard
from localcluster.nodes_with_phones import NodesWithPhones
from localcluster.phones import Phone
from localcluster.product import Product
from roost.nodes.routes import everything
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Key, key_of
from tests.cluster import Cluster, wait_until

#: How an outcome names the extension 001.
SAYS_001 = ["extension", "digits/0", "digits/0", "digits/1"]


class PhoneCluster(Cluster):
    """`members` are the nodes that Roost knows, of those that run; None: all of them."""

    telephony: NodesWithPhones

    def __init__(
        self, product: Product, telephony: NodesWithPhones, members: Collection[str] | None = None
    ) -> None:
        super().__init__(product)
        self.telephony = telephony
        self._members = telephony.nodes.keys() if members is None else members
        for name in self._members:
            node = telephony.nodes[name]
            self.add_node(name, kind=node.kind, host=node.address, port=node.control_port, secret=node.secret)

    @property
    def phones(self) -> dict[str, Phone]:
        """The phones, registered."""
        return self.telephony.phones

    def home(self, phone: str) -> str:
        """The node of a phone."""
        return (self.telephony.homes | self.telephony.plain_homes)[phone]

    def answering(self, phone: str) -> Sequence[AsteriskNode]:
        """The Asterisks that may play what is heard on a phone."""
        return [self.telephony.asterisks[self.home(phone)]]

    def code(self, number: str) -> str:
        """The secret code of an extension."""
        return self.world.codes["0001", number]

    # --- when ---

    def dial_center(self, phone: str, dialled: str, *codes: str, bare: bool = False) -> Heard:
        """Dial on the real phone, key each code when it is asked for ('' keys nothing), and listen to the end.

        `bare`: without a `#` behind it.
        """
        log = AsteriskLog(*self.answering(phone))
        centers = CenterLog(*(process.log for process in self.product.of_kind("center")))
        call = self.phones[phone].dial(dialled)
        call.wait_up()
        for times, digits in enumerate(codes, 1):
            wait_until(partial(_asked, log, times), f"code {times} is asked for", 15)
            if digits:
                call.send_dtmf(digits if bare else f"{digits}#")
        call.wait_over(30)
        return Heard(log.prompts, *centers.outcomes)

    # --- then ---

    def agree(self) -> None:
        """Every node has every route, and exactly what the database says."""
        self.settled()
        truth = self.truth()
        for node in self._members:
            assert self.node_holds(node) == truth, node

    def right(self, node: str) -> bool:
        """Whether the node has exactly what the database says."""
        return self.node_holds(node) == self.truth()

    def truth(self) -> dict[Key, Change | None]:
        """The table that every node must have."""
        with self.database.connection() as connection:
            return {key_of(change): change for change in everything(connection)}

    def node_holds(self, node: str) -> dict[Key, Change | None]:
        """All that a node holds now."""
        connection = connect(self.telephony.nodes[node].control, 5)
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

    def silent(self) -> bool:
        """Whether no phone rang that nobody waited for."""
        return not any(phone.has_rung for phone in self.phones.values())


def _asked(log: AsteriskLog, times: int) -> bool:
    return log.questions >= times
