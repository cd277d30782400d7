"""112 goes out from every phone of a FreePBX, in every state that one can be in, with the phone's own identity."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from localcluster.freepbx import FreepbxBox
from roost.directory import Directory
from tests.cluster import wait_until
from tests.freepbx.mixed_office import AD_HOC, Mixed


def _guest(number: str, phone: str) -> Callable[[Mixed], None]:
    return lambda house: house.sit(number, phone)


def _directory(act: Callable[[Directory], None]) -> Callable[[Mixed], None]:
    def do(house: Mixed) -> None:
        act(Directory(house.database))
        house.settled()

    return do


def _all(*steps: Callable[[Mixed], object]) -> Callable[[Mixed], None]:
    def do(house: Mixed) -> None:
        for step in steps:
            step(house)

    return do


_hosts = _guest("1001", "1002")
_away = _guest("1002", "1101")
_hosts_at_ad_hoc = _guest("1001", AD_HOC)

#: What was done before 112 is dialled on 1001, 1002 and the ad hoc phone.
STATES: dict[str, Callable[[Mixed], None]] = {
    "everybody at home": _all(),
    "host of a guest of the same box": _hosts,
    "host of a guest of the other box": _guest("1101", "1002"),
    "host of a guest of a plain Asterisk": _guest("2001", "1002"),
    "its own user away, and nobody there": _away,
    "its own user away, and a guest there": _all(_away, _hosts),
    "its user at a plain Asterisk": _guest("1002", "2001"),
    "two who changed places": _all(_guest("1002", "1001"), _hosts),
    "a guest came home": _all(_hosts, lambda house: house.world.bring_home("1001"), Mixed.settled),
    "the guest's extension removed": _all(_hosts, _directory(lambda d: d.remove_extension("0001*1001"))),
    "the guest's extension disabled": _all(
        _hosts, _directory(lambda d: d.change_extension("0001*1001", enabled=False))
    ),
    "its own extension disabled": _all(
        _hosts, _directory(lambda d: d.change_extension("0001*1002", enabled=False))
    ),
    "its own extension taken away": _all(_hosts, _directory(lambda d: d.change_phone("1002", base=None))),
    "the phone disabled": _all(_hosts, _directory(lambda d: d.change_phone("1002", enabled=False))),
    "the phone removed": _all(_hosts, _directory(lambda d: d.remove_phone("1002"))),
    "the phone removed, its user away": _all(_away, _directory(lambda d: d.remove_phone("1002"))),
    "the organization disabled": _all(
        _hosts, _directory(lambda d: d.change_organization("0001", enabled=False))
    ),
    "the organization removed": _all(
        _hosts, _directory(lambda d: d.remove_organization("0001", with_everything=True))
    ),
    "ad hoc, with a guest": _hosts_at_ad_hoc,
    "ad hoc, with a guest, removed": _all(_hosts_at_ad_hoc, _directory(lambda d: d.remove_phone(AD_HOC))),
    "the phone removed, then logged off by FreePBX": _all(
        _hosts, _directory(lambda d: d.remove_phone("1002")), lambda house: house.box().log_off("1002")
    ),
}


def _each(act: Callable[[FreepbxBox, str], None], *names: str) -> Callable[[FreepbxBox], None]:
    def do(box: FreepbxBox) -> None:
        for name in names:
            act(box, name)

    return do


#: Who sits where, while FreePBX rewrites its keys, or somebody does there.
GUESTS = {"1002": "1101", AD_HOC: "2001"}
INTRUSIONS: dict[str, Callable[[FreepbxBox], object]] = {
    "the devices edited": _each(FreepbxBox.edit, *GUESTS),
    "their guests edited": _each(FreepbxBox.edit_user, *GUESTS.values()),
    "everything reset": FreepbxBox.reset,
    "the dialplan reloaded": lambda box: box.cli("dialplan reload"),
    "logged off": _each(FreepbxBox.log_off, "1001", *GUESTS),
    "the keys deleted": _each(lambda box, device: box.lose(device, GUESTS[device]), *GUESTS),
    "their guests deleted": _each(FreepbxBox.delete_user, *GUESTS.values()),
    "their guests and their own users deleted": _each(
        FreepbxBox.delete_user, *GUESTS.values(), "1001", *GUESTS
    ),
}


def calls_for_help(house: Mixed) -> None:
    """112 goes out from each phone as that phone, and afterwards somebody speaks there."""
    phones = ("1001", "1002", AD_HOC)
    for phone in phones:
        assert house.emergency(phone) == (f"+1555{phone}", f"Desk {phone}")
    users = house.box().ask([f"/DEVICE/{phone}/user" for phone in phones])
    assert len(users) == len(phones)
    assert not set(users.values()) & {"", "none"}


@pytest.mark.parametrize("state", STATES)
def test_an_emergency_call_goes_out_with_the_identity_of_the_phone(mixed: Mixed, state: str) -> None:
    STATES[state](mixed)
    calls_for_help(mixed)


@pytest.mark.parametrize("what", INTRUSIONS)
def test_it_does_whatever_freepbx_does_to_its_keys_before_the_next_audit_and_after(
    mixed: Mixed, what: str
) -> None:
    for phone, guest in GUESTS.items():
        mixed.sit(guest, phone)
    mixed.world.sql("UPDATE pbx_node SET enabled = false")  # so that no audit comes in between
    INTRUSIONS[what](mixed.box())
    calls_for_help(mixed)
    mixed.world.sql("UPDATE pbx_node SET enabled = true")
    mixed.audit()
    calls_for_help(mixed)


def test_a_user_who_is_lent_to_a_phone_for_the_call_is_given_back(mixed: Mixed) -> None:
    """A phone whose users are all deleted speaks as nobody again once the call is over."""
    mixed.world.sql("UPDATE pbx_node SET enabled = false")  # so that no audit comes in between
    key = "/DEVICE/1002/user"
    for user in (*GUESTS.values(), "1001", *GUESTS):
        mixed.box().delete_user(user)
    before = mixed.box().ask([key])
    assert mixed.emergency("1002") == ("+15551002", "Desk 1002")
    wait_until(lambda: mixed.box().ask([key]) == before, "it is given back")


def test_one_whose_asterisk_died_in_the_call_is_given_back_by_the_next_audit(mixed: Mixed) -> None:
    """Not while the call goes on; and what it leaves when it dies is what stands there in the call."""
    keys = ["/DEVICE/1002/user", "/roost-lent/1002"]
    for user in (*GUESTS.values(), "1001", *GUESTS):
        mixed.box().delete_user(user)
    before = mixed.box().ask(keys)
    call = mixed.phones["1002"].dial("112")
    ring = mixed.phones["carrier-f1"].wait_ring()
    amid = mixed.box().ask(keys)
    assert amid[keys[0]] == amid[keys[1]].rpartition("/")[2]
    mixed.audit()
    assert mixed.box().ask(keys) == amid
    call.hang_up()
    ring.wait_over()
    wait_until(lambda: mixed.box().ask(keys) == before, "it is given back")
    mixed.box().tell(amid)
    mixed.audit()
    assert mixed.box().ask(keys) == before


def test_a_call_that_a_phone_forwards_goes_out_and_nobody_is_lent_to_no_phone(mixed: Mixed) -> None:
    """302: its channel is that of no phone, whose key would be that of a device without a name."""
    with mixed.telephony.plain_phone("1003") as phone:
        phone.forward = f"sip:112@{phone.registrar}"
        mixed.phones["1001"].dial("1003")
        mixed.phones["carrier-f1"].wait_ring()
        for family in ("roost-lent", "DEVICE/"):
            assert "0 results" in mixed.box().cli(f"database show {family}")


def test_an_emergency_number_that_is_something_else_there_goes_on_as_before(mixed: Mixed) -> None:
    """The include has 911, which is nothing on these boxes: it is the box that says so."""
    call = mixed.phones["1002"].dial("911")
    call.wait_over()
    assert call.close_reason.startswith("404")


def test_the_same_from_a_plain_asterisk_whoever_sits_there(mixed: Mixed) -> None:
    mixed.sit("1001", "2001")
    assert mixed.emergency("2001")[0] == "+15552001"


@pytest.mark.parametrize(("way_in", "number"), [("2002", "0100"), ("1001", "0101")], ids=["Asterisk", "box"])
def test_an_emergency_number_is_called_back_at_phones_of_boxes_too(
    mixed: Mixed, way_in: str, number: str
) -> None:
    """From outside, by way of either kind: all that share the number, at both boxes; or the one that called last, whoever sits there.

    Numbers of their own, for nodes know for an hour who called last.
    """
    mixed.world.sql(f"UPDATE phone SET emergency_number = '+1555{number}' WHERE name IN ('1002', '1101')")
    mixed.agree()
    mixed.sit("2001", "1002")
    call = mixed.phones[way_in].dial(f"+1666{number}")
    for phone in ("1002", "1101"):
        mixed.phones[phone].wait_ring()
    mixed.telephony.quiet()
    mixed.emergency("1101")
    call = mixed.phones[way_in].dial(f"+1666{number}")
    mixed.phones["1101"].wait_ring().answer()
    call.wait_up()
    assert not mixed.phones["1002"].has_rung


def test_a_box_that_is_called_back_rings_its_own_phone_if_that_called_last(mixed: Mixed) -> None:
    mixed.world.sql("UPDATE phone SET emergency_number = '+15550102' WHERE name IN ('1002', '1101')")
    mixed.agree()
    for phone in ("1101", "1002"):
        mixed.emergency(phone)
    call = mixed.phones["1001"].dial("+16660102")
    mixed.phones["1002"].wait_ring().answer()
    call.wait_up()
    assert not mixed.phones["1101"].has_rung
