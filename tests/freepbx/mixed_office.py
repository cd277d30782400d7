"""A whole running Roost, one plain Asterisk and two FreePBX boxes with real phones in one organization."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from localcluster.asterisk import AsteriskNode
from localcluster.call_logs import AsteriskLog
from localcluster.freepbx import ACCOUNT_HOOK, INCLUDE, Device, FreepbxBox, User
from localcluster.telephony import Telephony
from roost.directory import Directory
from roost.nodes.status import cluster_status, is_audited, request_audit
from tests.cluster import wait_until
from tests.endtoend.office import Office

#: Each node's phones; each has an extension of its own with the same number. 1009 is ad hoc: the box gives it no user.
PHONES = {
    "n1": ("2001", "2002", "2003"),
    "f1": ("1001", "1002", "1003", "1004", "1009"),
    "f2": ("1101", "1102", "1103"),
}
#: Those that a test registers itself; the node of WITHHELD keeps from others who it is.
PLAIN = ("1003", "1103", "2003", WITHHELD := "1004")
LAYOUT = {
    node: {
        phone: f'"Desk {phone}" <+1555{phone}>'
        for phone in (*phones, f"carrier-{node}")
        if phone not in PLAIN
    }
    for node, phones in PHONES.items()
}
PLAIN_LAYOUT = {
    node: {phone: f'"Desk {phone}" <+1555{phone}>' for phone in phones if phone in PLAIN}
    for node, phones in PHONES.items()
}
AD_HOC = "1009"
USERS = [User(phone, f"Person {phone}", f"+15559{phone}") for phones in PHONES.values() for phone in phones]
SITE = """
[roost-emergency-numbers]
exten => 112,1,Goto(roost-emergency,${EXTEN},1)

[roost-outgoing]
exten => _+1666.,1,Goto(roost-callback,+1555${EXTEN:5},1)
exten => 112,1,Dial(PJSIP/carrier-n1)
exten => _+1555.,1,Dial(PJSIP/carrier-n1)
"""
FEATURES = {
    "queues.conf": "[general]\n[support]\nstrategy=ringall\nringinuse=no\nretry=1\n"
    "member => Local/1001@from-queue/n,0,Agent,hint:1001@ext-local\n"
}


class Boxes(Telephony):
    """The nodes: those whose name begins with f are FreePBX boxes."""

    def make_node(self, name: str, address: str, folder: Path, **settings: Any) -> AsteriskNode:
        settings["dialplan_globals"] = {"CARRIER": f"carrier-{name}"}
        if name not in boxes():
            return AsteriskNode(name, address, folder, **settings)
        settings["dialplan_globals"]["CONNECTED_LINE_SEND_SUB"] = "roost-answered-there,s,1"
        phones = settings.pop("phones")
        settings["phones"] = [
            replace(phone, settings=f"context=from-internal\n{phone.settings}") for phone in phones
        ]
        include = (INCLUDE, ACCOUNT_HOOK) if name == "f1" else (INCLUDE,)
        return FreepbxBox(
            name,
            address,
            folder,
            users=USERS,
            devices=devices_of(name),
            include=include,
            may_refuse=True,
            **settings,
        )


class Mixed(Office):
    """Organization 0001 on all three nodes."""

    def box(self, name: str = "f1") -> FreepbxBox:
        """One of the FreePBX boxes."""
        box = self.nodes[name]
        assert isinstance(box, FreepbxBox)
        return box

    def open(self, **organization: object) -> None:
        """Everybody at home, with a new code, and every node knows it; the boxes as they were set up."""
        self.reset()
        for name in boxes():
            self.box(name).tell(self.box(name).as_set_up())
        self.world.organization(**organization)  # type: ignore[arg-type]  # columns by name
        directory = Directory(self.database)
        for node, phones in PHONES.items():
            for phone in phones:
                self.world.desk(phone, phone=False)
                base = f"0001*{phone}"
                directory.add_phone(
                    phone, organization="0001", node=node, base=base, emergency_number=f"+1555{phone}"
                )
        self.agree()

    def sit(self, number: str, phone: str) -> None:
        """Its owner dials `*30<number>` on the phone and keys the right code; without a real phone, for speed."""
        heard = self.call(phone, f"*30{number}", self.code(number), node=self.home(phone))
        assert heard.outcome == "virtualized"
        self.settled()

    def audit(self) -> None:
        """Have every node compared with the database, and wait for the end of it."""
        asked = request_audit(self.database)

        def audited() -> bool:
            return all(is_audited(node, asked) for node in cluster_status(self.database).nodes)

        wait_until(audited, "every node is audited", 20)

    def emergency(self, phone: str) -> tuple[str, str]:
        """112 is dialled on a phone: the number and name that the carrier of its node sees."""
        call = self.phones[phone].dial("112")
        ring = self.phones[f"carrier-{self.home(phone)}"].wait_ring()
        call.hang_up()
        ring.wait_over()
        return ring.caller_number, ring.caller_name

    def reaches_the_mailbox(self, caller: str, number: str) -> None:
        """A call from a phone of a box rings nowhere, and the mailbox of whom it was for answers."""
        log = AsteriskLog(self.nodes[self.home(caller)])
        call = self.phones[caller].dial(number)
        call.wait_over()
        log.wait(f"voicemail of {number}")
        assert self.silent()


def boxes() -> list[str]:
    """The FreePBX boxes."""
    return [name for name in LAYOUT if name.startswith("f")]


def devices_of(box: str) -> list[Device]:
    """Every phone is a device on every box."""
    return [
        Device(
            phone,
            "none" if phone == AD_HOC else phone,
            emergency=f'"Desk {phone}" <+1555{phone}>' if node == box else "",
            elsewhere="" if node == box else node,
            fixed=phone != AD_HOC,
        )
        for node, phones in PHONES.items()
        for phone in phones
    ]
