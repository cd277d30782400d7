"""FreePBX's own keys in AstDB, by which its generated dialplan routes: who speaks at a device, and where a user rings.

- `DEVICE/<device>/user`: the user who speaks there. Never `none`, which its own log-off writes, and never missing: such a phone makes
  no emergency calls.
- `AMPUSER/<user>/device`: the devices where the user rings, with `&` between; Roost writes one. Not there: nowhere, so the mailbox answers.

A device is known by its `dial`, a user by `cidnum`: nothing is written about others, for modules list these trees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from roost.errors import NodeUnavailable
from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.session import ActionFailed, AmiSession
from roost.pbx.ami.table import NOT_FOUND, read_values
from roost.pbx.ami.variables import encode_variable, value_of
from roost.pbx.freepbx.lately import Lately
from roost.pbx.node import ActsAs, Change, Key, Rings, key_of

DEVICE: Final = "DEVICE"
USER: Final = "AMPUSER"
#: What FreePBX writes for nobody.
NOBODY: Final = frozenset({"", "none"})
_SPEAKS, _RINGS, _NUMBER, _DIAL = "user", "device", "cidnum", "dial"
#: What every user and every device has.
_SET_UP: Final = {USER: _NUMBER, DEVICE: _DIAL}
_ENTRY = re.compile(rb"Event: DBGetTreeResponse\r\nKey: /[A-Z]+/([^/\r\n]+)/([a-z_]+)\r\nVal: ([^\r\n]*)\r\n")


class OwnKey(NamedTuple):
    """What one of these keys is to hold; None: it is not to be there."""

    family: str
    key: str
    value: str | None


class OwnKeys:
    """These keys of the node at the other end of a session. Call inside its deadline."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session
        self._lately = Lately(self._every_value)
        self._homes = Lately(self._every_home)
        self._set_up = {
            family: Lately(partial(read_field, session, family, field)) for family, field in _SET_UP.items()
        }

    def faults(self, changes: Sequence[Change]) -> dict[Key, str]:
        """Which of these rows name a user or a device that this FreePBX does not know, and what to do."""
        about = [change for change in changes if isinstance(change, Rings | ActsAs)]
        known = self._known(
            {
                USER: [_user(change) for change in about],
                DEVICE: [change.phone for change in about if change.phone],
            }
        )
        users, devices = known[USER], known[DEVICE]
        return {
            key_of(change): _no_user(_user(change)) if _user(change) not in users else _no_device(change)
            for change in about
            if _user(change) not in users or (change.phone and change.phone not in devices)
        }

    def write(self, wanted: Sequence[OwnKey], variables: Sequence[str] = ()) -> list[str]:
        """Make the keys so; the values of these variables of the dialplan, which are asked for in the same breath.

        Raises NodeUnavailable when a key is not taken.
        """
        self._lately.forget()
        values = [""] * len(variables)

        def hear(place: int, message: bytes) -> None:
            if place >= len(wanted):
                values[place - len(wanted)] = value_of(message)

        missing: list[OwnKey] = []
        asked: list[OwnKey | str] = [*wanted, *variables]
        for failure in self._session.ask_many(asked, _encode, hear):
            own = wanted[failure.position] if failure.position < len(wanted) else None
            if own is not None and own.value is not None:
                raise NodeUnavailable(f"It did not take {own}: {failure.message}")
            if own is not None:
                missing.append(own)
        # One that was not there is answered with an error, too.
        left = read_values(self._session, [(own.family, own.key) for own in missing])
        if any(value is not None for value in left):
            raise NodeUnavailable(f"It did not delete {missing[0].family}/{missing[0].key}.")
        return values

    def astray(self, rows: Mapping[Key, Change | None]) -> list[Key]:
        """The rows by which these keys do not go."""
        wanted = {key: own_key(row) for key, row in rows.items() if isinstance(row, Rings | ActsAs)}
        values = self._values(list(wanted.values()))
        return [
            key
            for (key, own), value in zip(wanted.items(), values, strict=True)
            if (own.value or "") != value
        ]

    def known_users(self, numbers: Iterable[str]) -> set[str]:
        """Those of these numbers that are users here."""
        return self._known({USER: numbers})[USER]

    def known_devices(self, phones: Iterable[str]) -> set[str]:
        """Those of these phones that are devices here."""
        return self._known({DEVICE: phones})[DEVICE]

    def away(self, rows: Mapping[Key, Change | None]) -> dict[Key, Change | None]:
        """Those of these rows whose users do not ring at the one device that is theirs, and is here; of few rows, all."""
        homes = self._homes.of(len(rows))
        if homes is None:
            return dict(rows)
        return {
            key: row
            for key, row in rows.items()
            if isinstance(row, Rings) and (row.phone is None or homes.get(_user(row)) != row.phone)
        }

    def default_users(self) -> dict[str, str]:
        """The user that each device has by itself; a device that belongs to nobody is left out."""
        defaults = read_field(self._session, DEVICE, "default_user")
        return {device: user for device, user in defaults.items() if user not in NOBODY}

    def _values(self, wanted: Sequence[OwnKey]) -> list[str]:
        """What these keys hold; empty: nothing. Of many, as it was lately."""
        listed = self._lately.of(len(wanted))
        if listed is not None:
            return [listed.get((own.family, own.key), "") for own in wanted]
        values = read_values(self._session, [(own.family, own.key) for own in wanted])
        return [(value or b"").decode(errors="replace") for value in values]

    def _every_value(self) -> dict[tuple[str, str], str]:
        return {
            (family, f"{name}/{field}"): value
            for family, field in ((DEVICE, _SPEAKS), (USER, _RINGS))
            for name, value in read_field(self._session, family, field).items()
        }

    def _every_home(self) -> dict[str, str]:
        """The device of each user who has one, and no other; FreePBX's own lamp shows another node's device as the way there."""
        dials = read_field(self._session, DEVICE, _DIAL)
        devices: dict[str, list[str]] = {}
        for device, user in self.default_users().items():
            devices.setdefault(user, []).append(device)
        return {
            user: own[0]
            for user, own in devices.items()
            if len(own) == 1 and dials.get(own[0]) == f"PJSIP/{own[0]}"
        }

    def _known(self, asked: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
        """Those of these names that are set up here, by family; of few, all by one question."""
        names = {family: list(dict.fromkeys(some)) for family, some in asked.items()}
        listed = {family: self._set_up[family].of(len(some)) for family, some in names.items()}
        few = [(family, name) for family, some in names.items() if listed[family] is None for name in some]
        values = read_values(self._session, [(family, f"{name}/{_SET_UP[family]}") for family, name in few])
        found = {each for each, value in zip(few, values, strict=True) if value is not None}
        return {
            family: {name for name in some if (family, name) in found}
            if known is None
            else known.keys() & some
            for (family, some), known in zip(names.items(), listed.values(), strict=True)
        }


def own_key(row: Rings | ActsAs) -> OwnKey:
    """What a row of the table is in FreePBX's keys."""
    if isinstance(row, Rings):
        return rings_at(_user(row), row.phone)
    return speaks(row.phone, row.number)


def rings_at(user: str, device: str | None) -> OwnKey:
    """A user rings there alone; None: nowhere."""
    return OwnKey(USER, f"{user}/{_RINGS}", device)


def speaks(device: str, user: str) -> OwnKey:
    """Whoever speaks at a device is this user."""
    return OwnKey(DEVICE, f"{device}/{_SPEAKS}", user)


def number_of(extension: str) -> str:
    """The number of an extension key; a node serves one organization, so it is the user."""
    return extension.rpartition("*")[2]


def read_field(session: AmiSession, family: str, field: str) -> dict[str, str]:
    """The field of each user or device that has it, in order of their names. Call inside a deadline.

    AstDB is locked for a moment, some 3 ms for each thousand.
    """
    try:
        entries = session.ask_list("DBGetTree", {"Family": family, "Key": f"%/{field}"})
    except ActionFailed as error:
        if error.message == NOT_FOUND:
            return {}
        raise
    found = [entry for message in entries if (entry := _ENTRY.match(message)) and entry[2] == field.encode()]
    return dict(
        sorted((entry[1].decode(errors="replace"), entry[3].decode(errors="replace")) for entry in found)
    )


def _user(change: Rings | ActsAs) -> str:
    return number_of(change.extension) if isinstance(change, Rings) else change.number


def _no_user(number: str) -> str:
    return f"FreePBX has no user {number}: add it there."


def _no_device(change: Rings | ActsAs) -> str:
    where = f"@{change.node}" if isinstance(change, Rings) else "@ and its node"
    return (
        f"FreePBX has no device {change.phone}: add it there; where it is a phone of another node, "
        f"as a custom device that dials PJSIP/*{change.phone}{where}."
    )


def _encode(asked: OwnKey | str) -> bytes:
    """What writes a key, or asks for a variable."""
    if isinstance(asked, str):
        return encode_variable(asked)
    if asked.value is None:
        return unnumbered("DBDel", {"Family": asked.family, "Key": asked.key})
    return unnumbered("DBPut", {"Family": asked.family, "Key": asked.key, "Val": asked.value})
