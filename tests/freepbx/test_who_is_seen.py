"""Between a FreePBX and other nodes: who is shown to whom, which contacts ring, and whose lamp is lit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import permutations

import pytest

from localcluster.freepbx import file_hint
from localcluster.plain_phone import PlainPhone
from roost.pbx.freepbx.kept_list import ONE_BY_ONE
from roost.pbx.freepbx.own_keys import OwnKeys
from roost.pbx.node import Change, Key, Rings
from tests.cluster import wait_until
from tests.freepbx.mixed_office import PLAIN, WITHHELD, Mixed

ODD = 'Ana "A" O\'Brien \\ Š'


@contextmanager
def _phones(house: Mixed, *names: str) -> Iterator[list[PlainPhone]]:
    with ExitStack() as phones:
        yield [phones.enter_context(house.telephony.plain_phone(name)) for name in names]


def test_each_side_sees_the_person_as_they_are_called_and_every_contact_rings(mixed: Mixed) -> None:
    """A guest from a plain Asterisk at one box, and one from a box at a plain Asterisk; names with quotes in them."""
    for box in ("f1", "f2"):
        mixed.box(box).tell({f"/AMPUSER/{number}/cidname": ODD for number in PLAIN})
    mixed.world.sql("UPDATE extension SET name = %s WHERE number = ANY(%s)", ODD, list(PLAIN))
    mixed.world.move("1003", "2003")
    mixed.world.move("2003", "1003")
    mixed.agree()
    sits = {"1003": "2003", "2003": "1003", "1103": "1103"}
    for caller, callee in permutations(sits, 2):
        with _phones(mixed, sits[caller], sits[callee], sits[callee]) as (one, desk, soft):
            call = one.dial(callee)
            rings = [desk.wait_ring(), soft.wait_ring()]
            assert [ring.caller for ring in rings] == [(ODD, caller)] * 2
            rings[0].answer()
            call.wait_up()
            rings[1].wait_over()
            call.wait_asserted(ODD, callee)


@pytest.mark.parametrize("other", ["1103", "2003"])
def test_who_withholds_who_they_are_is_not_seen(mixed: Mixed, other: str) -> None:
    """By no other node. A box tells its own callers the name of its user who is called, where that user has one, whoever withholds."""
    mixed.box("f2").tell({f"/AMPUSER/{WITHHELD}/cidname": ""})
    with _phones(mixed, WITHHELD, other) as (hidden, phone):
        call = hidden.dial(other)
        ring = phone.wait_ring()
        assert (ring.caller, ring.asserted) == (("Anonymous", "anonymous"), None)
        call.hang_up()
        ring.wait_over()
        call = phone.dial(WITHHELD)
        hidden.wait_ring().answer()
        call.wait_up()
        assert not any(f":{WITHHELD}@" in message["P-Asserted-Identity"] for message in call.heard)


@pytest.mark.parametrize(("one", "other"), [("1003", "1103"), ("1003", "2003"), ("2003", "1103")])
def test_phones_that_forward_to_each_other_across_nodes_come_to_an_end(
    mixed: Mixed, one: str, other: str
) -> None:
    with _phones(mixed, one, one, other, other) as phones:
        for phone in phones:
            phone.forward = f"sip:{other if phone.name == one else one}@{phone.registrar}"
        call = mixed.phones["1002"].dial(one)
        call.wait_over(30)
        assert sum(len(phone.forwarded) for phone in phones) <= 12


def test_a_lamp_follows_to_another_node_and_through_a_reload(mixed: Mixed) -> None:
    """The boxes tell each other the states of their phones; FreePBX's own hint of somebody there is the way, which tells nothing."""
    box = mixed.box()
    mixed.sit("1001", "1102")
    for user, phone in (("1001", "1102"), ("1101", "1101")):
        call = mixed.phones[phone].dial("1002")
        ring = mixed.phones["1002"].wait_ring()
        wait_until(lambda: _state(mixed, user) == "InUse", f"the lamp of {user}")  # noqa: B023
        call.hang_up()
        wait_until(lambda: _state(mixed, user) == "Idle", f"the lamp of {user} is out")  # noqa: B023
        ring.wait_over()
    box.cli("dialplan reload")
    wait_until(lambda: box.lamp("1101") == file_hint("1101", ["PJSIP/*1101@f2"]), "FreePBX's own hint")
    mixed.audit()
    assert box.lamp("1101").startswith("PJSIP/1101&Custom:DND1101")
    assert box.lamp("1001").startswith("PJSIP/1102&Custom:DND1001")


def _state(house: Mixed, user: str) -> str:
    """What the lamp of a user shows on the first box."""
    found = re.search(r"State:(\w+)", house.box().cli(f"core show hint {user}"))
    return found[1] if found else ""


def test_among_many_users_too_the_lamps_of_those_at_other_nodes_are_looked_at(mixed: Mixed) -> None:
    """Of many, an audit looks only at lamps that FreePBX itself may have put back wrong."""
    numbers = ["1002", "1101", *(str(5000 + place) for place in range(ONE_BY_ONE))]
    rows: dict[Key, Change | None] = {
        ("e", f"0001*{number}"): Rings(f"0001*{number}", "f1", number) for number in numbers
    }
    with closing(mixed.box().session()) as session, session.deadline():
        suspects = OwnKeys(session).away(rows)
    assert ("e", "0001*1002") not in suspects
    assert ("e", "0001*1101") in suspects
