"""A client that is registered and lies, and one that is not."""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest

from localcluster.plain_call import PlainCall
from localcluster.plain_phone import PlainPhone
from localcluster.sip import SipMessage, name_and_number
from tests.cluster import wait_until
from tests.kamailio.mixed_office import MixedOffice

LIES = (
    ("X-Roost-Phone", "desk001"), ("x-roost-node", "k9"), ("X-ROOST-Reason", "evil"), ("X-Roost-Ring", "yes"),
    ("X-Roost-Account", "boss"), ("X-Roost-Emergency", "yes"), ("P-Asserted-Identity", '"Boss" <sip:999@x>'),
    ("P-Preferred-Identity", "<sip:999@x>"), ("p-asserted-identity", "<sip:998@x>"), ("Remote-Party-ID", "<sip:999@x>"),
    ("Diversion", "<sip:999@x>"), ("Referred-By", "<sip:999@x>"), ("b", "<sip:999@x>"), ("History-Info", "<sip:999@x>"),
    ("X-Roost-Phone ", "desk001"), ("X-Roost-To-Phone\t", "no"), ("Identity", "eyJ.999"), ("y", "eyJ.999"), ("n", "<https://x/999>"),
    ("Identity-Info", "<https://x/999>"), ("Reply-To", "<sip:999@x>"), ("Organization", "999"), ("P-Called-Party-ID", "<sip:999@x>"),
    ("P-Served-User", "<sip:999@x>"), ("P-Profile-Key", "<sip:999@x>"), ("P-User-Database", "<aaa://999>"), ("X-Roost-Node", "\r\n\tk999"),
    ("Alert-Info", "<http://x/999>;info=alert-autoanswer"), ("Call-Info", "<sip:999@x>;answer-after=0"), ("Answer-Mode", "Auto;x=999"),
    ("Priv-Answer-Mode", "Auto;x=999"),
)  # fmt: skip
#: What a phone hears of Roost: that it is taken for one.
TOLD = ["x-roost-to-phone"]


def test_nothing_that_a_client_writes_about_identity_goes_on(office: MixedOffice) -> None:
    phone = office.telephony.plain_phone
    with phone("desk011") as liar, phone("desk012") as victim:
        liar.local = '"Boss" <sip:999@elsewhere.example>'
        liar.more = LIES
        call = liar.dial("012")
        ring = victim.wait_ring()
        text = "\n".join(f"{name}: {value}" for name, value in ring.heard[0].headers)
        assert not re.search(r"\b99[89]\b", text)
        assert "elsewhere" not in text
        assert _of_roost(ring.heard[0]) == TOLD
        assert ring.caller == ring.asserted == ("Person 011", "011")
        victim.more = LIES
        ring.answer()
        call.wait_up()
        said = call.wait_status(200)
        assert said.all("P-Asserted-Identity") == [f'"Person 012" <sip:012@{victim.registrar}>']
        assert _of_roost(said) == []
        log = office.media_log()
        outside = liar.dial("5551234")
        outside.wait_up()
        log.wait("outside <5551234> from <011> name <Person 011> account <acct-011>")
        outside.hang_up()


@pytest.mark.parametrize("number", ["012", "013", "004"])
def test_nor_does_what_it_writes_once_the_call_is_up(office: MixedOffice, number: str) -> None:
    """The other party is at another Kamailio, at the same, or at an Asterisk."""
    phone = office.telephony.plain_phone
    with phone("desk011") as liar, ExitStack() as others:
        if number != "004":
            victim = others.enter_context(phone(f"desk{number}"))
        call = liar.dial(number)
        if number == "004":
            office.phones["desk004"].wait_ring().answer()
            n1 = office.telephony.asterisks["n1"]
            wait_until(lambda: n1.is_talking("desk004"), "it is connected, and makes no offer of its own")
        else:
            ring = victim.wait_ring()
            ring.answer()
        call.wait_up()
        if number != "004":
            victim.more = LIES
            assert _renewed(liar, call, "INVITE") == 200
            victim.more = ()
            said = call.heard[-1]
            assert not re.search(r"\b99[89]\b|Boss", "\n".join(value for _, value in said.headers))
            assert _of_roost(said) == []
        liar.more = LIES
        for local, status in (
            (f'"Boss" <sip:desk011@{liar.registrar}>', 200),
            ('"Boss" <sip:999@x.example>', 403),
        ):
            liar.local = local
            for method in ("INVITE", "UPDATE"):
                assert _renewed(liar, call, method) == status
        if number != "004":
            for said in ring.heard[1:]:
                text = "\n".join(value for name, value in said.headers if name != "Call-ID")
                assert not re.search(r"\b99[89]\b|Boss|x\.example", text)
                assert _of_roost(said) == []
                if said.method in {"INVITE", "UPDATE"}:
                    assert name_and_number(said["From"]) == ("Person 011", "011")
            victim.local, victim.more = '"Boss" <sip:999@x.example>', LIES
            heard = len(ring.heard)
            victim.renew(ring, "UPDATE")
            assert _final_answer(victim, ring, heard, "UPDATE") == 403
            victim.local, victim.more = "", ()
            ring.local = ring.local.replace('"Boss" <sip:999@x.example>', ring.heard[0]["To"])
        call.local = call.local.replace('"Boss" <sip:999@x.example>', f"<sip:desk011@{liar.registrar}>")
        liar.local, liar.more = "", ()
        call.hang_up()


@pytest.mark.parametrize("name", ["From", "f", "to", "T", "call-id", "I", "CSeq", "Contact", "m"])
def test_no_line_occurs_twice_of_which_one_would_be_believed(office: MixedOffice, name: str) -> None:
    """Kamailio's own sanity_check drops most of them, without a word."""
    phone = office.telephony.plain_phone
    with phone("desk011") as liar, phone("desk012") as other:
        twice = ((name, "7 INVITE" if name == "CSeq" else '"Boss" <sip:999@x>;tag=9'),)
        liar.more = twice
        lies = liar.dial("012")
        if name in {"Contact", "m"}:
            lies.wait_status(400)
        liar.more = ()
        call = liar.dial("012")
        ring = other.wait_ring()
        assert ring.call_id == call.call_id
        ring.answer()
        call.wait_up()
        liar.more = twice
        liar.renew(call, "UPDATE")
        if name in {"Contact", "m"}:
            assert _final_answer(liar, call, 0, "UPDATE") == 400
        liar.more = ()
        call.hang_up()
        ring.wait_over()
        assert not other.rung
        assert not any(message.method == "UPDATE" for message in ring.heard)
        lies.is_over = True


@pytest.mark.parametrize(
    "contact", ["sip:0001*002@{k2}:5062", "sip:*desk002@{k2}:5062", "sip:0001*002@{k1}:5062", "sip:5551234@{m1}", "sip:*desk004@{n1}"]
)  # fmt: skip
def test_a_phone_that_registers_a_nodes_address_reaches_nobody_through_it(
    office: MixedOffice, contact: str
) -> None:
    log = office.media_log()
    contact = contact.format_map({name: node.address for name, node in office.telephony.nodes.items()})
    with office.telephony.plain_phone("desk011") as liar, office.telephony.plain_phone("desk013") as caller:
        liar.register(0)
        liar.register_as(contact)
        call = caller.dial("011")
        log.wait("mailbox <0001*011> for <unavailable>")
        call.hang_up()
        liar.register_as(contact, 0)
    assert not any(each.has_rung for each in office.phones.values())
    assert "outside <" not in log.text


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY", "INFO"])
def test_outside_a_call_a_phone_can_do_nothing_but_call(office: MixedOffice, method: str) -> None:
    with office.telephony.plain_phone("desk011") as liar:
        liar.more = LIES
        asked = liar.ask(method, "*desk001")
        liar.wait(lambda: any(message.status == 405 for message in asked.heard), 5, "a 405")
    assert not any(each.has_rung for each in office.phones.values())


@pytest.mark.parametrize(
    "dialled", ["*desk001", "0002*002", "0001*001", "desk001", "vm-0001*001", "00'2", "1;x=2", "%0d%0aX:1", "", "*30001%0d", "a" * 200,
     "%252A30001", "012;phone-context=x", "012%00", "001%40k9"]
)  # fmt: skip
def test_what_no_phone_may_dial_is_not_found(office: MixedOffice, dialled: str) -> None:
    with office.telephony.plain_phone("desk011") as liar:
        liar.more = LIES
        call = liar.dial(dialled)
        liar.wait(lambda: call.is_over, 5, "a refusal")
        assert call.heard[-1].status in {400, 404, 484}
    assert not any(phone.has_rung for phone in office.phones.values())


def test_who_is_no_peer_is_none_and_who_has_no_password_is_nobody(office: MixedOffice) -> None:
    k1, m1 = office.telephony.nodes["k1"].address, office.telephony.nodes["m1"].address
    for host, port, dialled, status in (
        (k1, 5062, "*desk001", 403), (k1, 5062, "0001*001", 403), (k1, 5060, "*desk001", 407), (m1, 5060, "*30001", 401),
    ):  # fmt: skip
        stranger = PlainPhone("desk001", "", host, port=port)
        stranger.more = LIES
        call = stranger.dial(dialled)
        call.wait_status(status)
        stranger.drop()
    assert not any(phone.has_rung for phone in office.phones.values())


def test_a_route_of_the_clients_own_leads_nowhere(office: MixedOffice) -> None:
    """Neither a new call nor one that pretends to be known reaches the media node in the name of another phone."""
    log = office.media_log()
    m1 = office.telephony.nodes["m1"].address
    with office.telephony.plain_phone("desk011") as liar:
        liar.more = (*LIES, ("Route", f"<sip:{liar.registrar};lr>"), ("Route", f"<sip:{m1};lr>"))
        call = liar.dial("*30001")
        call.wait_up()
        wait_until(lambda: "center,k1,desk011," in log, "the center is asked")
        call.hang_up()
        known = liar.dial("*30001", to_tag="known")
        liar.wait(lambda: known.is_over, 5, "a refusal")
    logged = log.text
    assert "desk001" not in logged


#: What is asked in no call, or only in one that has begun.
ASKED = {
    "check-sync": ("NOTIFY", ("Event", "check-sync;reboot=true")), "a second event": ("NOTIFY", ("Event", "refer"), ("o", "check-sync")),
    "message": ("MESSAGE",), "register": ("REGISTER", ("Expires", "0")), "publish": ("PUBLISH", ("Event", "presence")),
    "subscribe": ("SUBSCRIBE", ("Event", "dialog")),
}  # fmt: skip
OF_A_CALL = {
    "refer": ("REFER", ("Refer-To", "<sip:5551234@x>")), "notify": ("NOTIFY", ("Event", "refer")), "options": ("OPTIONS",)
}  # fmt: skip


@pytest.mark.parametrize("asked", [*ASKED, *OF_A_CALL])
def test_who_pretends_that_a_call_is_known_reaches_no_phone(office: MixedOffice, asked: str) -> None:
    """No password is asked for within a call."""
    method, *headers = (ASKED | OF_A_CALL)[asked]
    k1 = office.telephony.nodes["k1"].address
    stranger = PlainPhone("desk011", "", k1)
    with office.telephony.plain_phone("desk013") as victim:
        call = stranger.dial("013", "guessed")
        stranger.wait(lambda: call.is_over, 5, "a refusal")
        call.target, call.route = f"sip:desk013@{victim.address}", [f"<sip:{k1};lr>"]
        heard = len(call.heard)
        stranger.request(call, str(method), *headers)  # type: ignore[arg-type]  # the pairs behind the name
        assert _final_answer(stranger, call, heard, str(method)) == 481
        stranger.drop()
        assert not victim.told


@pytest.mark.parametrize("asked", ASKED)
def test_nor_does_who_is_in_one(office: MixedOffice, asked: str) -> None:
    """By the name of their own call; the other phone is not in it."""
    method, *headers = ASKED[asked]
    phone = office.telephony.plain_phone
    with phone("desk011") as liar, phone("desk012") as other, phone("desk013") as victim:
        call = liar.dial("012")
        other.wait_ring().answer()
        call.wait_up()
        meant, call.target = call.target, f"sip:desk013@{victim.address}"
        way, call.route = call.route, call.route[:1]
        heard = len(call.heard)
        liar.request(call, str(method), *headers)  # type: ignore[arg-type]  # the pairs behind the name
        assert _final_answer(liar, call, heard, str(method)) == 481
        assert not victim.told
        call.target, call.route = meant, way


def test_what_a_lamp_asks_of_an_asterisk_goes_on(office: MixedOffice) -> None:
    """Its Asterisk knows of no such lamp, and says so itself."""
    k1, n1 = (office.telephony.nodes[name].address for name in ("k1", "n1"))
    with office.telephony.plain_phone("desk011") as phone:
        call = phone.dial("013", "guessed")
        phone.wait(lambda: call.is_over, 5, "a refusal")
        call.target, call.route = f"sip:004@{n1}:5060", [f"<sip:{k1};lr>"]
        heard = len(call.heard)
        phone.request(call, "SUBSCRIBE", ("Event", "dialog"), ("Expires", "60"))
        assert _final_answer(phone, call, heard, "SUBSCRIBE") == 481
        assert call.heard[-1]["Server"] == "n1"


def _of_roost(message: SipMessage) -> list[str]:
    """The headers of Roost's own that a message has."""
    return [name.lower() for name, _ in message.headers if name.lower().startswith("x-roost")]


def _renewed(phone: PlainPhone, call: PlainCall, method: str) -> int:
    """The final answer to a new offer; sent again as long as the other side has one of its own under way (491: RFC 3261, 14.1)."""
    answers: list[int] = []

    def has_no_offer_of_its_own() -> bool:
        heard = len(call.heard)
        phone.renew(call, method)
        answers.append(_final_answer(phone, call, heard, method))
        return answers[-1] != 491

    wait_until(has_no_offer_of_its_own, "the other side has no offer of its own under way")
    return answers[-1]


def _final_answer(phone: PlainPhone, call: PlainCall, since: int, method: str) -> int:
    """The status that ends the request which was sent when so many messages had been heard."""

    def answers() -> list[int]:
        return [m.status for m in call.heard[since:] if m.method == method and m.status >= 200]

    phone.wait(lambda: bool(answers()), 5, f"an answer to the {method}")
    return answers()[0]
