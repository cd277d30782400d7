"""112 goes out from every phone of a FreePBX, in every state that one can be in, with the phone's own identity."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from roost.directory import Directory
from tests.freepbx.house import AD_HOC, Mixed


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
    "host, edited": _all(_hosts, lambda house: house.box().edit("1002")),
    "host, edited and audited": _all(_hosts, lambda house: house.box().edit("1002"), Mixed.audit),
    "host, reset": _all(_hosts, lambda house: house.box().reset()),
    "host, reset and audited": _all(_hosts, lambda house: house.box().reset(), Mixed.audit),
    "host, the dialplan reloaded": _all(_hosts, lambda house: house.box().cli("dialplan reload")),
    "host, logged off by FreePBX and audited": _all(
        _hosts, lambda house: house.box().log_off("1002"), Mixed.audit
    ),
    "ad hoc, with a guest": _hosts_at_ad_hoc,
    "ad hoc, with a guest, edited": _all(_hosts_at_ad_hoc, lambda house: house.box().edit(AD_HOC)),
    "ad hoc, with a guest, removed": _all(_hosts_at_ad_hoc, _directory(lambda d: d.remove_phone(AD_HOC))),
    "ad hoc, reset and audited": _all(_hosts_at_ad_hoc, lambda house: house.box().reset(), Mixed.audit),
}


#: What FreePBX itself does to an ad hoc device, which belongs to nobody; Roost mends it, and docs/freepbx.md warns.
SILENCED = {"host, reset": AD_HOC}


@pytest.mark.parametrize("state", STATES)
def test_an_emergency_call_goes_out_with_the_identity_of_the_phone(mixed: Mixed, state: str) -> None:
    STATES[state](mixed)
    phones = [phone for phone in ("1001", "1002", AD_HOC) if phone != SILENCED.get(state)]
    for phone in phones:
        assert mixed.emergency(phone) == (f"+1555{phone}", f"Desk {phone}")
    users = mixed.box().ask([f"/DEVICE/{phone}/user" for phone in phones])
    assert not set(users.values()) & {"", "none"}


def test_the_same_from_a_plain_asterisk_whoever_sits_there(mixed: Mixed) -> None:
    mixed.sit("1001", "2001")
    assert mixed.emergency("2001")[0] == "+15552001"
