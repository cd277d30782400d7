"""A whole running Roost with two Kamailios, two Asterisks behind them, real phones, and what people do and see there."""

from __future__ import annotations

import re
from functools import partial

from localcluster.asterisk import AMI_PORT
from localcluster.kamailio import HTTP_PORT
from localcluster.mixed import MixedTelephony
from localcluster.phones import Phone
from localcluster.product import Product
from roost.nodes.routes import everything
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Key, NodeAddress, key_of
from tests.caller import Heard
from tests.cluster import Cluster, wait_until

KAMAILIOS = {"k1": ["desk001", "desk003"], "k2": ["desk002"]}
#: `m1` is the first media node and has no phones; `n1` the second, and has some of its own.
ASTERISKS: dict[str, list[str]] = {"m1": [], "n1": ["desk004"]}
PLAIN = {"k1": ["desk011", "desk013"], "k2": ["desk012"]}
TCP = ["desk003"]
HOMES = {
    phone.removeprefix("desk"): node
    for layout in (KAMAILIOS, ASTERISKS, PLAIN)
    for node, phones in layout.items()
    for phone in phones
}
DEFINES = "#!define ROOST_RING_MS 2000\n#!define ROOST_VOICEMAIL\n"
#: What the Asterisks log of calls outside and of mailboxes is what the tests read.
SITE = r"""
[roost-emergency-numbers]
exten => 112,1,Goto(roost-emergency,${EXTEN},1)

[roost-outgoing]
exten => 700,1,Dial(Local/0001*013@roost-agent,10)
 same => n,Hangup()
exten => _+15550X.,1,Goto(roost-callback,${EXTEN},1)
exten => _[0-9+*#]!,1,NoOp(outside <${EXTEN}> from <${CALLERID(num)}> name <${CALLERID(name)}> account <${CHANNEL(accountcode)}>)
 same => n,Answer()
 same => n,Wait(1)
 same => n,Hangup()

[roost-emergency-outgoing]
exten => _[0-9+*#]!,1,NoOp(emergency <${EXTEN}> from <${CALLERID(num)}> name <${CALLERID(name)}>)
 same => n,Answer()
 same => n,Wait(1)
 same => n,Hangup()

[roost-voicemail]
exten => _[0-9A-Za-z*].,1,NoOp(mailbox <${EXTEN}> for <${ROOST_REASON}> from <${CALLERID(num)}>)
 same => n,Answer()
 same => n,Wait(1)
 same => n,Hangup()
"""
_PLAYED = re.compile(r"Playing '([\w/-]+)")
_ANNOUNCED = re.compile(r"call_done .*outcome=(\w+)")


class MixedOffice(Cluster):
    """Organization 0001: 001 and 003 have their phones at k1, 002 at k2, 004 at the Asterisk n1; 011, 012 and 013 have plain ones."""

    def __init__(self, product: Product, telephony: MixedTelephony) -> None:
        super().__init__(product)
        self.telephony = telephony
        for name, node in telephony.kamailios.items():
            self.add_node(name, kind="kamailio", host=node.address, port=HTTP_PORT, secret=node.secret)
        self.add_node(
            "n1", host=telephony.addresses["n1"], port=AMI_PORT, secret=telephony.asterisks["n1"].secret
        )

    @property
    def phones(self) -> dict[str, Phone]:
        """The phones, registered."""
        return self.telephony.phones

    def control(self, node: str) -> NodeAddress:
        """How Roost reaches a node."""
        found = self.telephony.kamailios.get(node) or self.telephony.asterisks[node]
        return found.control

    def open(self, **organization: object) -> None:
        """Everybody at home, with a new code, and every node knows it."""
        self.reset()
        self.world.organization(**organization)  # type: ignore[arg-type]  # columns by name
        for number, node in HOMES.items():
            self.world.desk(number, node=node, account_code=f"acct-{number}")
        self.world.sql(
            "UPDATE phone SET emergency_number = '+15550' || right(name, 3), emergency_location = 'Room ' || name"
        )
        self.agree()

    def code(self, number: str) -> str:
        """The secret code of an extension."""
        return self.world.codes["0001", number]

    # --- when ---

    def sit(self, number: str, phone: str) -> None:
        """Its owner is moved to the phone, and every node knows it."""
        self.world.move(number, phone)
        self.agree()

    def dial_center(self, phone: str, dialled: str, *codes: str) -> Heard:
        """Dial on the real phone, key each code when it is asked for, and listen to the end."""
        since = self.telephony.media_log_size()
        centers = [(process.log, process.log.stat().st_size) for process in self.product.of_kind("center")]
        call = self.phones[phone].dial(dialled)
        call.wait_up()
        for place, digits in enumerate(codes, 1):
            wait_until(partial(self._asked, since, place), f"code {place} is asked for", 15)
            call.send_dtmf(f"{digits}#")
        call.wait_over(30)
        announced = [
            outcome
            for log, start in centers
            for outcome in _ANNOUNCED.findall(log.read_bytes()[start:].decode())
        ]
        return Heard(self._played(since), *announced)

    # --- then ---

    def agree(self) -> None:
        """Every node has every route, and exactly what the database says."""
        self.settled()
        with self.database.connection() as connection:
            truth = {key_of(change): change for change in everything(connection)}
        for node in (*self.telephony.kamailios, "n1"):
            assert self.node_holds(node) == truth, node

    def node_holds(self, node: str) -> dict[Key, Change | None]:
        """All that a node holds now."""
        connection = connect(self.control(node), 5)
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
        assert not any(each.has_rung for each in self.phones.values())
        ring.hang_up()
        call.wait_over()
        return ring.caller_number, ring.caller_name

    def hears_mailbox(self, caller: str, number: str) -> str:
        """A call from a real phone ends at the mailbox of the extension; for which reason."""
        since = self.telephony.media_log_size()
        call = self.phones[caller].dial(number)
        call.wait_over(15)
        self.wait_logged(since, f"mailbox <0001*{number}> for <")
        found = re.findall(rf"mailbox <0001\*{number}> for <(\w*)>", self.telephony.media_logged(since))
        assert not any(each.has_rung for each in self.phones.values())
        return str(found[-1])

    def outside(self, caller: str, number: str, what: str = "outside") -> str:
        """A call from a real phone leaves the house; what an Asterisk was told of it."""
        since = self.telephony.media_log_size()
        call = self.phones[caller].dial(number)
        call.wait_up()
        call.hang_up()
        self.wait_logged(since, f', "{what} <')
        found = re.findall(rf'NoOp\("[^"]*", "({what} <.*)"\)', self.telephony.media_logged(since))
        return str(found[-1])

    def wait_logged(self, since: dict[str, int], text: str) -> None:
        """Wait until an Asterisk has logged it: the log is written a moment later."""
        wait_until(lambda: text in self.telephony.media_logged(since), f"{text!r} in the log of an Asterisk")

    def _asked(self, since: dict[str, int], times: int) -> bool:
        return self._played(since).count("agent-pass") >= times

    def _played(self, since: dict[str, int]) -> list[str]:
        return _PLAYED.findall(self.telephony.media_logged(since))
