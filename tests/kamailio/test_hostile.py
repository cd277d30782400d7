"""A client that is registered and lies, and one that is not."""

from __future__ import annotations

import re

import pytest

from localcluster.plain_phone import PlainPhone
from tests.cluster import wait_until
from tests.kamailio.mixed_office import MixedOffice

LIES = (
    ("X-Roost-Phone", "desk001"), ("x-roost-node", "k9"), ("X-ROOST-Reason", "evil"), ("X-Roost-Ring", "yes"),
    ("X-Roost-Account", "boss"), ("X-Roost-Emergency", "yes"), ("P-Asserted-Identity", '"Boss" <sip:999@x>'),
    ("P-Preferred-Identity", "<sip:999@x>"), ("p-asserted-identity", "<sip:998@x>"), ("Remote-Party-ID", "<sip:999@x>"),
    ("Diversion", "<sip:999@x>"), ("Referred-By", "<sip:999@x>"), ("b", "<sip:999@x>"), ("History-Info", "<sip:999@x>"),
)  # fmt: skip


def test_nothing_that_a_client_writes_about_identity_goes_on(office: MixedOffice) -> None:
    phone = office.telephony.plain_phone
    with phone("desk011") as liar, phone("desk012") as victim:
        liar.local = '"Boss" <sip:999@elsewhere.example>'
        liar.more = LIES
        call = liar.dial("012")
        ring = victim.wait_ring()
        text = "\n".join(f"{name}: {value}" for name, value in ring.heard[0].headers)
        assert not re.search(r"\b999\b", text)
        assert "998" not in text
        assert "elsewhere" not in text
        assert not [name for name, _ in ring.heard[0].headers if name.lower().startswith("x-roost")]
        assert ring.caller == ring.asserted == ("Person 011", "011")
        victim.more = LIES
        ring.answer()
        call.wait_up()
        said = call.wait_status(200)
        assert said.all("P-Asserted-Identity") == [f'"Person 012" <sip:012@{victim.registrar}>']
        assert not [name for name, _ in said.headers if name.lower().startswith("x-roost")]
        log = office.media_log()
        outside = liar.dial("5551234")
        outside.wait_up()
        log.wait("outside <5551234> from <011> name <Person 011> account <acct-011>")
        outside.hang_up()


@pytest.mark.parametrize(
    "dialled", ["*desk001", "0002*002", "0001*001", "desk001", "vm-0001*001", "00'2", "1;x=2", "%0d%0aX:1", "", "*30001%0d", "a" * 200]
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
