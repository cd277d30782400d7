"""A client that is in a call and writes into its requests what Kamailio wrote for itself: who is who, and who pays, it does not decide."""

from __future__ import annotations

import re
from base64 import b64encode
from itertools import zip_longest

import pytest

from localcluster.plain_call import PlainCall
from localcluster.plain_phone import PlainPhone
from localcluster.sip import name_and_number, tag_of
from tests.cluster import wait_until
from tests.kamailio.mixed_office import MixedOffice
from tests.kamailio.test_transfers import sent_on

OTHER = "sip:999@elsewhere.example"


def forged(route: str, **params: str) -> str:
    """A Route of the Kamailio's with other parameters of its own."""
    inside = route.strip("<>")
    for name, value in params.items():
        inside = re.sub(rf";{name}=[^;>]*", "", inside) + f";{name}={value}"
    return f"<{inside}>"


def restored(said: str, to: str = OTHER) -> str:
    """What the module uac makes `to` of, where `said` stands (vsf, vst)."""
    pairs = zip_longest(said.encode(), to.encode(), fillvalue=0)
    return b64encode(bytes(one ^ other for one, other in pairs)).decode().replace("=", "-")


def said(phone: PlainPhone, call: PlainCall, method: str) -> int:
    """How a request of the phone in the call is answered."""
    phone.renew(call, method)

    def answers() -> list[int]:
        return [m.status for m in call.heard if m["CSeq"] == f"{call.sent} {method}" and m.status >= 200]

    phone.wait(lambda: bool(answers()), 5, f"an answer to the {method}")
    return answers()[0]


@pytest.mark.parametrize("party", ["caller", "callee"])
@pytest.mark.parametrize("number", ["012", "013"])
def test_no_party_is_shown_as_somebody_else_by_what_it_writes_into_route(
    office: MixedOffice, number: str, party: str
) -> None:
    """The other party is at another Kamailio, or at the same."""
    phone = office.telephony.plain_phone
    with phone("desk011") as caller, phone(f"desk{number}") as callee:
        call = caller.dial(number)
        ring = callee.wait_ring()
        ring.answer()
        call.wait_up()
        liar, lies, victim = (caller, call, ring) if party == "caller" else (callee, ring, call)
        own, theirs = (re.findall("<(.*?)>", header)[0] for header in (lies.local, lies.remote))
        honest, route = lies.local, lies.route
        tags = {"caller": tag_of(call.local), "callee": tag_of(ring.local)}
        for local, params in (
            (own, {"vsf": restored(own)}),
            (own, {"vst": restored(own)}),
            (own, {"ftag": tags[party], "vsf": restored(own), "vst": restored(own)}),
            (own, {"ftag": "other", "vst": restored(own)}),
            (theirs, {"ftag": "other"}),
            (theirs, {"ftag": "other", "vst": restored(theirs)}),
            (OTHER, {"ftag": "other", "vst": restored(OTHER, theirs)}),
        ):
            for method in ("INVITE", "UPDATE"):
                lies.route = [forged(each, **params) for each in route[:1]] + route[1:]
                if len(route) > 1:  # the Kamailio has two lines of its own: with two ports
                    lies.route = [forged(each, **params) for each in route]
                lies.local = f"<{local}>;tag={tag_of(honest)}"
                assert said(liar, lies, method) in {200, 403, 481}, params
        lies.local, lies.route = honest, route
        lies.is_up, lies.is_over = True, False  # a refused offer is no end
        assert said(liar, lies, "UPDATE") == 200
        for message in victim.heard:
            if message.status == 0 and message.method in {"INVITE", "UPDATE"}:
                shown = name_and_number(message["From"])
                assert shown == (("Person 011", "011") if party == "caller" else ("", number)), message
                assert "elsewhere" not in message.encode().decode()
        call.hang_up()
        ring.wait_over()


@pytest.mark.parametrize("tag", ["the same", "another"])
def test_nobody_pays_by_a_second_call_of_the_same_name(office: MixedOffice, tag: str) -> None:
    """A phone calls its victim by the Call-ID of a call that it sends outside, and passes as the callee of both."""
    phone = office.telephony.plain_phone
    n1 = office.telephony.asterisks["n1"]
    with phone("desk011") as clerk, phone("desk011") as second, phone("desk013") as victim:
        call = clerk.dial("004")
        office.phones["desk004"].wait_ring().answer()
        call.wait_up()
        wait_until(lambda: n1.is_talking("desk004"), "004 is connected")
        own = f"sip:desk011@{clerk.registrar}"
        if tag == "the same":
            second.local = f"<{own}>;tag={tag_of(call.remote)};x=1"
        other = second.dial("013", to=own, call_id=call.call_id)
        wait_until(lambda: bool(victim.rung) or other.is_over, "a ring or a refusal")
        log = office.media_log()
        call.route = [forged(each, ftag="other") for each in call.route]
        assert sent_on(clerk, call, f"sip:5551234@{clerk.registrar}") == 202
        log.wait("outside <5551234> from <004> name <Person 004> account <acct-011>")
        assert other.heard[-1].status == 482
        assert not victim.rung
        other.is_over = True
        call.hang_up()


def test_nor_by_the_name_of_a_call_that_came_in(office: MixedOffice) -> None:
    """Before it rings, so that nobody has been told of it."""
    phone = office.telephony.plain_phone
    with phone("desk011") as clerk, phone("desk013") as victim:
        clerk.silent = True
        k1 = office.telephony.kamailios["k1"]

        def offered() -> set[tuple[str, str]]:
            return set(re.findall(r"name: tag/(\S+)\s+value: (\S+)", k1.rpc("htable.dump", "roost_call")))

        before = {name for name, _ in offered()}  # of calls that have just ended
        asking = office.phones["desk004"].dial("011")

        def new() -> list[tuple[str, str]]:
            return [(name, tag) for name, tag in offered() if name not in before]

        wait_until(lambda: bool(new()), "the call is offered")
        ((call_id, tag),) = new()
        clerk.local = f"<sip:desk011@{clerk.registrar}>;tag={tag};x=1"
        other = clerk.dial("013", call_id=call_id)
        clerk.wait(lambda: other.is_over, 5, "a refusal")
        assert other.heard[-1].status == 482
        assert not victim.rung
        clerk.silent, clerk.local = False, ""
        asking.hang_up()


def test_a_call_id_is_never_the_place_of_what_is_kept_of_another_call(office: MixedOffice) -> None:
    phone = office.telephony.plain_phone
    with phone("desk011") as one, phone("desk012") as other, phone("desk013") as liar:
        call = one.dial("012")
        ring = other.wait_ring()
        ring.answer()
        call.wait_up()
        for what in ("tag", "caller", "callee", "phones", "shown", "org"):
            for name in (f"{call.call_id}/{what}", f"{what}/{call.call_id}"):
                lie = liar.dial("001", call_id=name)
                office.phones["desk001"].wait_ring()
                lie.hang_up()
                lie.wait_status(487)
                assert said(one, call, "UPDATE") == 200, name
        assert name_and_number(ring.heard[-1]["From"]) == ("Person 011", "011")
        call.hang_up()
        ring.wait_over()
