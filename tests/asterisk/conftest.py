"""Two real Asterisk nodes with real phones, the shipped dialplan between them, and a center made for the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from localcluster.asterisk import AsteriskNode
from localcluster.call_logs import AsteriskLog
from localcluster.phones import PhoneCall
from localcluster.process import wait_until
from localcluster.telephony import Telephony
from roost.nodes.message_lamps import Reached, tell_phones
from roost.pbx.kinds import connect, kind_named
from roost.pbx.node import ActsAs, Change, Gone, Key, Rings
from tests.asterisk import documented

LAYOUT = {
    "n1": {"p1": '"Desk 1" <+15550101>', "p2": '"Desk 2" <+15550102>', "carrier": '"Carrier" <+15550100>'},
    "n2": {"p3": '"Desk 3" <+15550103>', "p4": '"Desk 4" <+15550104>'},
}

#: Endpoints that a test registers itself, with a phone that shows every message. w1 and w2 withhold their identity.
PLAIN = {
    "n1": {"q1": '"Desk 11" <+15550111>', "w1": '"Desk 13" <+15550113>'},
    "n2": {"q2": '"Desk 12" <+15550112>', "w2": '"Desk 14" <+15550114>'},
}
WITHHELD = ("w1", "w2")

#: Who sits where when everybody is at home: phone, node, extension.
HOMES = [
    ("p1", "n1", "001"), ("p2", "n1", "002"), ("p3", "n2", "003"), ("p4", "n2", "004"),
    ("q1", "n1", "011"), ("q2", "n2", "012"), ("w1", "n1", "013"), ("w2", "n2", "014"),
]  # fmt: skip

SAMPLES = Path(__file__).parents[2] / "asterisk"
SITE = (
    f"""
#include "{SAMPLES}/roost_features.conf.sample"

{documented.lines("0001*008")}
{documented.lines("[record-called]")}
[roost-outgoing]
{documented.says("exten => _+1555019X")}
exten => *76,1,{documented.says("Dial(Local/")}
{documented.says("exten => 600")}
exten => +15559700,1,{documented.says("MixMonitor(")}
 same => n,Dial(PJSIP/carrier)
exten => +15559001,1,{documented.says("exten => +15550100").partition(",1,")[2]}
"""
    """
[roost-emergency-numbers]
exten => 112,1,Goto(roost-emergency,${EXTEN},1)
exten => 911,1,Goto(roost-emergency,${EXTEN},1)

; To 013's phone, which shows every message.
[roost-emergency-outgoing]
exten => 911,1,GotoIf($["${ROOST_NODE}" = "n1"]?:carrier,${EXTEN},away)
 same => n,Dial(PJSIP/w1)

[roost-outgoing]
exten => +15559002,1,Set(CALLERID(all)=)
 same => n,Goto(roost-inbound,0001*001,1)
exten => _*75XXX,1,Dial(Local/0001*${EXTEN:3}@roost-inbound/n)
exten => 112,1,Goto(carrier,${EXTEN},1)
exten => _+1555.,1,Goto(carrier,${EXTEN},1)
exten => _*78X,1,Goto(roost-phone,*p${EXTEN:3},1)
exten => +15559600,1,Goto(roost-queues,support,1)
exten => +15559800,1,NoOp(paid by ${ROOST_ORG}*${ROOST_NUMBER} ${CHANNEL(accountcode)})
 same => n,Dial(PJSIP/w1)

exten => _*77XXX,1,Dial(Local/0001*${EXTEN:3}@roost-agent)

; The carrier is n1's.
[carrier]
exten => _[+19].,1,GotoIf($["${ROOST_NODE}" = "n1"]?:away)
 same => n,Dial(PJSIP/carrier)
 same => n,Hangup(${HANGUPCAUSE})
 same => n(away),Gosub(roost-trunk-options,s,1)
 same => n,Dial(PJSIP/out-${EXTEN}@n1,,${ROOST_TRUNK_OPTIONS})
 same => n,Hangup(${HANGUPCAUSE})

[roost-site-from-node]
exten => out-911,1,Dial(PJSIP/w1)
exten => _out-.,1,Dial(PJSIP/carrier)
 same => n,Hangup(${HANGUPCAUSE})

[roost-voicemail]
exten => 0001*021,1,Goto(roost-mailboxes,${EXTEN},1)
exten => 0002*021,1,Goto(roost-mailboxes,${EXTEN},1)
exten => 0001*005,1,Goto(roost-inbound,0001*006,1)
exten => 0001*006,1,Goto(roost-inbound,0001*005,1)
exten => 0001*007,1,Answer()
 same => n,NoOp(voicemail of ${EXTEN}: ${ROOST_REASON})
 same => n,Hangup()
"""
)

#: A mailbox of 0001*021 and one of 0002*021, and the queue of the sample.
FEATURES = {
    "voicemail.conf": "[general]\nformat=wav\n[0001]\n021 => 1111,Person 21\n[0002]\n021 => 2222,Stranger\n",
    "queues.conf": (SAMPLES / "queues.conf.sample").read_text().replace("wrapuptime=10", "wrapuptime=2"),
}

ENDPOINTS = "context=phones\nsubscribe_context=roost-lamps-0001\ncall_group=1\npickup_group=1"


class Cluster(Telephony):
    """The nodes as Roost would have left them: 001 to 004 at p1 to p4, 011 and so on at the plain phones."""

    def place(self, extension: str, where: str, organization: str = "0001") -> None:
        """On every node, the extension rings at `where` ("n1/p1", or "-")."""
        node, _, phone = where.partition("/")
        self.tell(Rings(f"{organization}*{extension}", node if phone else None, phone or None))

    def speaks(self, phone: str, number: str, name: str, organization: str = "0001", place: str = "") -> None:
        """On every node, `phone` speaks as this extension."""
        row = _speaks(phone, number, name, organization)
        self.tell(row._replace(emergency_location=place or row.emergency_location))

    def row(self, phone: str) -> ActsAs:
        """What the nodes know of a phone."""
        with closing(connect(self.nodes["n1"].control, 10.0)) as pbx:
            row = pbx.read([("p", phone)])["p", phone]
        assert isinstance(row, ActsAs)
        return row

    def tell(self, *changes: Change) -> None:
        """Write rows on every node, as Roost does."""
        for node in self.nodes.values():
            with closing(connect(node.control, 10.0)) as pbx:
                assert pbx.apply(changes, None) == []

    def light(self, phone: str) -> None:
        """The message lamp of a phone is told anew, as Roost does when its row changed."""
        home = next(node for name, node, _ in HOMES if name == phone)
        with ExitStack() as opened:

            def reach(name: str) -> Reached:
                node = opened.enter_context(closing(kind.open(self.nodes[name].control, 10.0)))
                return Reached(node, messages_of(node.inside))

            kind = kind_named(self.nodes[home].control.kind)
            assert kind.messages is not None
            messages_of = kind.messages
            assert tell_phones(home, [phone], reach)

    def forget(self) -> None:
        """Empty the database of every node."""
        for node in self.nodes.values():
            if node.database_show("roost"):
                node.database_clear()

    def settle(self) -> None:
        """Everybody at home; writes only what differs."""
        for node in self.nodes.values():
            with closing(connect(node.control, 10.0)) as pbx:
                holds = pbx.dump() | pbx.read(list(_AT_HOME))
                changes: list[Change] = [Gone(*key) for key in holds.keys() - _AT_HOME.keys()]
                changes += [row for key, row in _AT_HOME.items() if holds.get(key) != row]
                pbx.apply(changes, None)

    def wait_connected(self, *phones: str, calls: int = 1) -> None:
        """Wait until each of these phones is bridged to its other party at its own node.

        Who transfers sooner may do so while another node still connects the first two: an Asterisk drops what it is told of a
        call, such as who is there now, until both are in its bridge.
        """
        for phone in phones:
            node = self.nodes["n1" if phone in LAYOUT["n1"] | PLAIN["n1"] else "n2"]
            wait_until(partial(_has, node, phone, calls), 10, f"{phone} is connected")

    def logs(self, node: str) -> AsteriskLog:
        """What the node logs from now on."""
        return AsteriskLog(self.nodes[node])

    def leave_message(self, call: PhoneCall, log: AsteriskLog) -> None:
        """The caller leaves a message at the mailbox that answers, and hangs up; `log` is that of n1, which keeps them."""
        call.wait_up()
        for heard in ("Playing 'vm-theperson", "Recording the message"):
            log.wait(heard)
            call.send_dtmf("#")
        log.wait("Playing 'auth-thankyou")
        call.hang_up()


def _has(node: AsteriskNode, phone: str, calls: int) -> bool:
    return node.talks(phone) >= calls


def _speaks(phone: str, number: str, name: str, organization: str) -> ActsAs:
    base = next(number for home, _, number in HOMES if home == phone)
    emergency = f"+1555019{int(base)}", f"Floor 3: by the {phone}"
    return ActsAs(phone, organization, number, name, f"acct-{number}", f"{number}@0001", base, *emergency)


_AT_HOME: dict[Key, Change] = {
    ("e", f"0001*{number}"): Rings(f"0001*{number}", node, phone) for phone, node, number in HOMES
}
_AT_HOME |= {
    ("p", phone): _speaks(phone, number, f"Person {number[1:].lstrip('0')}", "0001")
    for phone, _, number in HOMES
}


#: What a center does with a call: speaks through `command`, which returns Asterisk's answer.
Script = Callable[[Callable[[str], str]], None]


def says(outcome: str) -> Script:
    """A center that answers with this outcome."""

    def script(command: Callable[[str], str]) -> None:
        command(f"SET VARIABLE ROOST_OUTCOME {outcome}")

    return script


def dies(command: Callable[[str], str]) -> None:
    """A center that ends in the middle of the conversation."""
    command('STREAM FILE beep ""')


def listens(command: Callable[[str], str]) -> None:
    """A center that answers, and waits for one key, however long it takes."""
    command("ANSWER")
    command("WAIT FOR DIGIT -1")


@dataclass
class TestCenter:
    """A FastAGI server on loopback; `calls` are the variables Asterisk sent with each call."""

    script: Script
    calls: list[dict[str, str]] = field(default_factory=list)
    ended: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    __test__ = False

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def hangs(self, command: Callable[[str], str]) -> None:
        """A script: takes the call, and never says a word."""
        self.released.wait(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed: the test is over
            connection.settimeout(30)
            with connection, connection.makefile("rw", encoding="utf-8", newline="\n") as stream:
                variables = {}
                for line in iter(lambda: stream.readline().strip(), ""):
                    name, _, value = line.partition(": ")
                    variables[name] = value
                self.calls.append(variables)

                def command(text: str) -> str:
                    stream.write(text + "\n")
                    stream.flush()
                    return stream.readline().strip()

                self.script(command)
                self.ended += 1


@pytest.fixture(scope="session")
def telephony(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes and their phones, for the whole run."""
    with Cluster(
        tmp_path_factory.mktemp("pbx"),
        LAYOUT,
        plain=PLAIN,
        withheld=WITHHELD,
        site=SITE,
        features=FEATURES,
        endpoints=ENDPOINTS,
        dialplan_globals={"ROOST_VOICEMAIL_NODE": "n1", "ROOST_QUEUE_NODE": "n1"},
    ) as cluster:
        yield cluster


@pytest.fixture
def cluster(telephony: Cluster) -> Iterator[Cluster]:
    """The nodes with everybody at home, and no call left afterwards."""
    telephony.settle()
    yield telephony
    telephony.quiet()
