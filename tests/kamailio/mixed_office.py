"""Two Kamailios, two Asterisks behind them, real phones, and the people of one organization there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from localcluster.asterisk import AsteriskNode
from localcluster.call_logs import AsteriskLog
from localcluster.mixed import MixedTelephony
from localcluster.product import Product
from tests.phone_cluster import PhoneCluster

KAMAILIOS = {"k1": ["desk001", "desk003"], "k2": ["desk002"]}
#: `m1` is the first media node and has no phones; `n1` the second, and has some of its own.
ASTERISKS: dict[str, list[str]] = {"m1": [], "n1": ["desk004"]}
PLAIN = {"k1": ["desk011", "desk013"], "k2": ["desk012"], "n1": ["desk014", "desk015"]}
#: Its Asterisk keeps who it is from others; a phone of a Kamailio says so itself.
WITHHELD = ["desk015"]
TCP = ["desk003"]
HOMES = {
    phone.removeprefix("desk"): node
    for layout in (KAMAILIOS, ASTERISKS, PLAIN)
    for node, phones in layout.items()
    for phone in phones
}
#: How many seconds a phone rings.
RINGS = 6
DEFINES = f"#!define ROOST_RING_MS {RINGS}000\n#!define ROOST_VOICEMAIL\n"
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


class MixedOffice(PhoneCluster):
    """Organization 0001: 001 and 003 have their phones at k1, 002 at k2, 004 at the Asterisk n1; 011 to 015 have plain ones."""

    telephony: MixedTelephony

    def __init__(self, product: Product, telephony: MixedTelephony) -> None:
        super().__init__(product, telephony, members=[*telephony.kamailios, "n1"])

    def answering(self, phone: str) -> Sequence[AsteriskNode]:
        """Whichever Asterisk a Kamailio chose."""
        return list(self.telephony.asterisks.values())

    def media_log(self) -> AsteriskLog:
        """What the Asterisks log from now on."""
        return AsteriskLog(*self.telephony.asterisks.values())

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

    # --- when ---

    def sit(self, number: str, phone: str) -> None:
        """Its owner is moved to the phone, and every node knows it."""
        self.world.move(number, phone)
        self.agree()

    # --- then ---

    def hears_mailbox(self, caller: str, number: str) -> str:
        """A call from a real phone ends at the mailbox of the extension; for which reason."""
        log = self.media_log()
        call = self.phones[caller].dial(number)
        call.wait_over(15)
        log.wait(f"mailbox <0001*{number}> for <")
        found = re.findall(rf"mailbox <0001\*{number}> for <(\w*)>", log.text)
        assert self.silent()
        return str(found[-1])

    def outside(self, caller: str, number: str, what: str = "outside") -> str:
        """A call from a real phone leaves the house; what an Asterisk was told of it."""
        log = self.media_log()
        call = self.phones[caller].dial(number)
        call.wait_up()
        call.hang_up()
        log.wait(f', "{what} <')
        found = re.findall(rf'NoOp\("[^"]*", "({what} <.*)"\)', log.text)
        return str(found[-1])
