"""Who would call at the expense of others, ring where they may not, or speak as somebody else: by a phone, a trunk, or a node's table."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from localcluster.phones import PhoneFailed
from localcluster.plain_phone import PlainPhone
from localcluster.process import wait_until
from roost.pbx.node import ActsAs
from roost.pbx.row_text import value
from tests.asterisk.conftest import TestCenter, says
from tests.asterisk.test_transfers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcluster.phones import PhoneCall
    from localcluster.plain_call import PlainCall
    from tests.asterisk.conftest import Cluster

#: What a phone may write into its INVITE, and nobody should believe.
LIES = (
    ("P-Asserted-Identity", '"Boss" <sip:999@x>'), ("P-Preferred-Identity", "<sip:999@x>"), ("Remote-Party-ID", '"Boss" <sip:999@x>'),
    ("Diversion", '"Boss" <sip:999@x>;reason=unconditional'), ("Diversion", "<sip:998@x>;reason=no-answer"), ("Referred-By", "<sip:999@x>"),
    ("History-Info", "<sip:999@x>;index=1"), ("X-Roost-Account", "boss999"), ("X-Roost-Agent", "yes999"), ("X-Roost-Phone", "p999"),
    ("X-Roost-Ring", "yes999"), ("X-Roost-Emergency", "yes999"), ("X-Roost-After", "999"), ("P-Charge-Info", "<sip:999@x>"),
)  # fmt: skip
LIE = re.compile(r"\b(\w*99[89])\b")
#: The line outside on which every header shows: extension 013's phone.
OUTSIDE = "+15559800"
#: Names that would say something to Asterisk, to SIP, or to a shell, if anybody read them.
NAMES = (
    "${SET(GLOBAL(ROOST_EVIL)=1)}", "$[1/0]${EXTEN}", "a,b&PJSIP/carrier|c^d", '"x" <sip:999@evil.example>', ")}]'`id`;#",
    "\\", '\\"', "%0d%0aX-Evil: 1", "=cmd|' /C calc'!A0", "e\u0301\u202e\u2028",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_was_evaluated(cluster: Cluster) -> Iterator[None]:
    yield
    for node in cluster.nodes.values():
        assert "ROOST_EVIL" not in node.cli("dialplan show globals")


def texts(heard: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    """All headers but for what Asterisk makes up for each call: its numbers and tags may end in 999 too."""
    chosen = [(name, text) for name, text in heard if name not in {"Call-ID", "Via", "Contact", "CSeq"}]
    return "\n".join(f"{name}: {re.sub(';tag=[^;]*', '', text)}" for name, text in chosen)


@pytest.mark.parametrize("dialled", [OUTSIDE, "013", "014"], ids=["outside", "same node", "other node"])
def test_nothing_that_a_phone_says_of_itself_goes_on(cluster: Cluster, dialled: str) -> None:
    with ExitStack() as phones:
        liar = phones.enter_context(cluster.plain_phone("q1"))
        called = phones.enter_context(cluster.plain_phone("w2" if dialled == "014" else "w1"))
        liar.local, liar.more = f'"Boss999" <sip:{liar.name}@elsewhere.example>', LIES
        liar.dial(dialled)
        ring = called.wait_ring()
        assert ring.caller == ("Person 11", "011")
        assert not LIE.search(texts(ring.heard[0].headers))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(cluster: Cluster, name: str) -> None:
    """And so is every other column, whatever stands in it."""
    hostile = ActsAs("q1", "0001", "011", name, name[:32], name, "011", "+15550191", name)
    with ExitStack() as phones:
        phone = phones.enter_context(cluster.plain_phone("q1"))
        outside = phones.enter_context(cluster.plain_phone("w1"))
        other = phones.enter_context(cluster.plain_phone("w2"))
        cluster.tell(hostile)
        for called, number in ((outside, OUTSIDE), (other, "014")):
            call = phone.dial(number)
            ring = called.wait_ring()
            assert ring.caller == (name, "011")
            assert not [header for header, _ in ring.heard[0].headers if "evil" in header.lower()]
            call.hang_up()
        phone.dial("112")
        ring_outside = cluster.phones["carrier"].wait_ring()
        assert (ring_outside.caller_number, ring_outside.caller_name) == ("+15550191", name)
        assert not any(each.has_rung for each in cluster.phones.values())


def test_a_line_break_in_the_table_of_a_node_begins_no_header(cluster: Cluster) -> None:
    """No adapter writes one; somebody who has the node may."""
    evil = "a\r\nX-Evil: 1\r\n\r\nb\x00c\x7f"
    row = value(ActsAs("q1", "0001", "011", "NAME", "acct", "011@0001", "011", "+15550191", "PLACE"))
    cluster.nodes["n1"].database_put(
        "roost/p", "q1", row.replace("NAME", quote(evil)).replace("PLACE", quote(evil))
    )
    with ExitStack() as phones:
        phone = phones.enter_context(cluster.plain_phone("q1"))
        outside = phones.enter_context(cluster.plain_phone("w1"))
        phone.dial(OUTSIDE)
        ring = outside.wait_ring()
        assert ring.caller == ("aX-Evil: 1b", "011")
        assert "X-Evil" not in [name for name, _ in ring.heard[0].headers]
        phone.dial("112")
        assert cluster.phones["carrier"].wait_ring().caller_name == "aX-Evil: 1b"


@pytest.mark.parametrize("dialled", ["*30", "*30001"])
def test_nobody_is_sent_to_the_center_by_somebody_else(cluster: Cluster, dialled: str) -> None:
    """It would hear the name of their phone, where somebody would be sent home, or be asked for a code."""
    with TestCenter(says("returned")) as center:
        cluster.nodes["n1"].set_centers(center.address)
        try:
            with cluster.plain_phone("q1") as attacker:
                log = cluster.logs("n1")
                call, victim = connect_plain(cluster, attacker, "002", "p2")
                attacker.request(call, "REFER", ("Refer-To", f"<sip:{dialled}@{attacker.registrar}>"))
                log.wait("Playing 'pbx-invalid")
                victim.wait_over()
                attacker.forward = f"sip:{dialled}@{attacker.registrar}"
                cluster.phones["p2"].dial("011").wait_over()
        finally:
            cluster.nodes["n1"].set_centers()
    assert [call["agi_arg_2"] for call in center.calls if "agi_arg_2" in call] == []


def connect_plain(
    cluster: Cluster, caller: PlainPhone, number: str, callee: str
) -> tuple[PlainCall, PhoneCall]:
    """A call in progress that a plain phone has made."""
    call = caller.dial(number)
    ring = cluster.phones[callee].wait_ring()
    ring.answer()
    call.wait_up()
    cluster.wait_connected(caller.name, callee)
    return call, ring


@pytest.mark.parametrize(
    "dialled", ["*30001%3Bid", "*30%24%28id%29", "*30001%2Cn2%2Cp9", "*30%60id%60", "*30%24%7BSHELL%28id%29%7D", "*30001%0d%0aX-Evil%3a1", "*30001%7Cid"]
)  # fmt: skip
def test_the_center_hears_digits_alone(cluster: Cluster, dialled: str) -> None:
    with TestCenter(says("returned")) as center:
        cluster.nodes["n1"].set_centers(center.address)
        try:
            with cluster.plain_phone("q1") as phone:
                call = phone.dial(dialled)
                call.wait_over()
        finally:
            cluster.nodes["n1"].set_centers()
    assert center.calls == []


@pytest.mark.parametrize("sent_on", ["by a guest", "from another organization", "by its phone"])
def test_a_call_that_somebody_sends_outside_is_theirs(cluster: Cluster, sent_on: str) -> None:
    """Their organization, number and account pay for it: neither those of the phone's owner, nor of whoever called."""
    log = cluster.logs("n1")
    if sent_on == "by its phone":
        with cluster.plain_phone("q1") as phone:
            phone.forward = f"sip:{OUTSIDE}@{phone.registrar}"
            cluster.phones["p2"].dial("011")
            log.wait("paid by 0001*011 acct-011")
        return
    if sent_on == "by a guest":
        cluster.speaks("p1", "003", "Person 3")
    else:
        cluster.speaks("p2", "002", "Stranger", "0002")
    caller, dialled, payer = (
        ("carrier", "+15559001", "003") if sent_on == "by a guest" else ("p2", "+15559001", "001")
    )
    with cluster.plain_phone("w1") as outside:
        call, ring = connect(cluster, caller, dialled, "p1")
        ring.transfer(f"sip:{OUTSIDE}@{cluster.phones['p1'].registrar}")
        outside.wait_ring()
        log.wait(f"paid by 0001*{payer} acct-{payer}")
        call.hang_up()


def test_forwards_in_a_circle_come_to_an_end(cluster: Cluster) -> None:
    """Of two phones of two nodes. With two contacts, each forward would make two more."""
    with ExitStack() as phones:
        first = [phones.enter_context(cluster.plain_phone("q1")) for _ in range(2)]
        others = [phones.enter_context(cluster.plain_phone("q2")) for _ in range(2)]
        for phone in first:
            phone.forward = f"sip:012@{phone.registrar}"
        for phone in others:
            phone.forward = f"sip:011@{phone.registrar}"
        logs = [cluster.logs(node) for node in cluster.nodes]
        call = cluster.phones["p2"].dial("011")
        try:
            wait_until(lambda: any("forwards exceeded" in log for log in logs), 15, "a forward is refused")
        finally:
            for phone in [*first, *others]:
                phone.forward = ""
        call.hang_up()
        assert 2 < sum(len(phone.forwarded) for phone in [*first, *others]) < 200


@pytest.mark.parametrize(
    "dialled", ["+15550777", "112", "001", "0001*001", "*30001", "callback-all-+15550777", "s", "*", "**p3", "*p3&PJSIP-carrier", "phones", "roost-outgoing"]
)  # fmt: skip
def test_a_trunk_reaches_phones_and_nothing_else(cluster: Cluster, dialled: str) -> None:
    log = cluster.logs("n2")
    cluster.nodes["n1"].cli(f"channel originate PJSIP/{dialled}@n2 application Wait 5")
    cluster.nodes["n1"].wait_until_silent()
    cluster.nodes["n2"].wait_until_silent()
    assert not any(phone.has_rung for phone in cluster.phones.values())
    assert "roost-outgoing" not in log


@contextmanager
def closing_phone(name: str, registrar: str) -> Iterator[PlainPhone]:
    """One that has no password, and is not registered."""
    phone = PlainPhone(name, "", registrar)
    try:
        yield phone
    finally:
        phone.drop()


@pytest.mark.parametrize("claims", ["n2", "p1", "nobody", "anonymous"])
def test_who_shows_no_password_is_no_trunk_and_no_phone(cluster: Cluster, claims: str) -> None:
    with closing_phone(claims, cluster.nodes["n1"].address) as stranger:
        stranger.more = LIES
        for dialled in ("*p2", "002", OUTSIDE, "112", "*30001"):
            stranger.dial(dialled).wait_status(401)
    assert not any(phone.has_rung for phone in cluster.phones.values())


def _is_answered(call: PlainCall, method: str) -> bool:
    return any(message.method == method and message.status for message in call.heard)


def test_a_transfer_leads_only_where_its_phone_could_dial(cluster: Cluster) -> None:
    cluster.place("005", "n1/p1", "0002")
    places = (
        "0002*005",
        "*p1",
        "*p3",
        "001%26PJSIP%2Fcarrier",
        "%24%7BSHELL%28id%29%7D",
        "s",
        "p1",
        "Local/0002*005@roost-inbound",
    )
    with cluster.plain_phone("q1") as phone:
        for place in places:
            call, _ = connect_plain(cluster, phone, "002", "p2")
            to = f"<sip:{place}@{phone.registrar}?X-Roost-Account=boss&From=999>"
            phone.request(call, "REFER", ("Refer-To", to), ("Referred-By", "<sip:999@x>"))
            wait_until(partial(_is_answered, call, "REFER"), 5, "an answer")
            call.hang_up()
            cluster.nodes["n1"].wait_until_silent()
            assert not any(each.has_rung for each in cluster.phones.values()), place


def test_keys_in_a_call_reach_no_other_organization(cluster: Cluster) -> None:
    """With Dial's option T a caller transfers by #. What is keyed then is dialled as from the phone, after the first keys."""
    cluster.place("005", "n1/q1", "0002")
    node = cluster.nodes["n1"]
    node.set_global("ROOST_DIAL_OPTIONS", "T")
    try:
        with cluster.plain_phone("q1") as stranger:
            log = cluster.logs("n1")
            call, _ = connect(cluster, "p1", "002", "p2")
            call.send_dtmf("#")
            log.wait("Playing 'pbx-transfer")
            with suppress(PhoneFailed):  # it is over after the first keys
                call.send_dtmf("0002*005")
            log.wait("Playing 'pbx-invalid")
            cluster.quiet()
            assert not stranger.rung
    finally:
        node.set_global("ROOST_DIAL_OPTIONS", "")


def test_a_call_is_not_taken_over_by_who_guesses_its_name(cluster: Cluster) -> None:
    call, ring = connect(cluster, "p2", "001", "p1")
    with cluster.plain_phone("q1") as phone:
        phone.more = (("Replaces", "guessed@127.0.0.1;to-tag=1;from-tag=2"),)
        for number in ("001", OUTSIDE):
            taking = phone.dial(number)
            taking.wait_over()
            assert taking.heard[-1].status in {481, 603}
    assert call.is_up
    assert ring.is_up


@pytest.mark.parametrize("meant", ["another node", "the carrier"])
def test_a_contact_that_is_somebody_else_leads_to_the_phone_alone(cluster: Cluster, meant: str) -> None:
    """They believe this node, so a phone registers their address, and has itself called."""
    with ExitStack() as phones:
        liar = phones.enter_context(cluster.plain_phone("q1"))
        carrier = phones.enter_context(cluster.plain_phone("w1"))
        liar.register(0)
        contact = (
            f"sip:*p4@{cluster.nodes['n2'].address}:5060"
            if meant == "another node"
            else f"sip:+1900@{carrier.address}"
        )
        liar.register_as(contact)
        call = cluster.phones["p2"].dial("011")
        liar.wait_ring()
        assert not cluster.phones["p4"].has_rung
        assert not carrier.rung
        call.hang_up()
        liar.register_as(contact, 0)
