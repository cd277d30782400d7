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
from roost.pbx.ami.session import ActionFailed, AmiSession, Failure
from roost.pbx.ami.table import MOST_REFUSED, NOT_FOUND, read_values
from roost.pbx.ami.variables import may_read, read_variables
from roost.pbx.freepbx.kept_list import KeptList
from roost.pbx.node import ActsAs, Change, Key, Rings, key_of

DEVICE: Final = "DEVICE"
USER: Final = "AMPUSER"
#: What FreePBX writes for nobody.
NOBODY: Final = frozenset({"", "none"})
_SPEAKS, _RINGS, _NUMBER, _DIAL = "user", "device", "cidnum", "dial"
#: The name of a user or a device that may stand in what Asterisk evaluates.
PLAIN: Final = re.compile("[0-9]{1,20}")
#: What every user and every device has.
_SET_UP: Final = {USER: _NUMBER, DEVICE: _DIAL}
#: A value may have a line break in it, though FreePBX writes none.
_ENTRY = re.compile(
    rb"Event: DBGetTreeResponse\r\nKey: /[A-Z]+/([^/\r\n]+)/([a-z_]+)\r\nVal: (.*)\r\nActionID: ", re.DOTALL
)


class OwnKey(NamedTuple):
    """What one of these keys is to hold; None: it is not to be there."""

    family: str
    key: str
    value: str | None


class OwnKeys:
    """These keys of the node at the other end of a session. Call inside its deadline."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session
        self._kept_list = KeptList(self._every_value)
        self._homes = KeptList(self._every_home)
        self._set_up = {
            family: KeptList(partial(read_field, session, family, field)) for family, field in _SET_UP.items()
        }

    def faults(
        self, changes: Sequence[Change], variables: Sequence[str] = ()
    ) -> tuple[dict[Key, str], list[str]]:
        """Which of these rows name a user or a device that this FreePBX does not know, and what to do.

        Also the values of these variables of the dialplan, which are asked for in the same breath.
        """
        about = [change for change in changes if isinstance(change, Rings | ActsAs)]
        known, values = self._known_and_values(
            {
                USER: [_user(change) for change in about],
                DEVICE: [change.phone for change in about if change.phone],
            },
            variables,
        )
        users, devices = known[USER], known[DEVICE]
        faults = {
            key_of(change): _no_user(_user(change)) if _user(change) not in users else _no_device(change)
            for change in about
            if _user(change) not in users or (change.phone and change.phone not in devices)
        }
        return faults, values

    def write(self, wanted: Sequence[OwnKey]) -> dict[int, str]:
        """Make the keys so; why some are not as wanted, by place. Raises NodeUnavailable when those are many."""
        return self.refused(wanted, self._session.ask_many(wanted, encode))

    def refused(self, wanted: Sequence[OwnKey], failures: Sequence[Failure]) -> dict[int, str]:
        """These keys were sent, and some failed: why those that are not as wanted are not, by place. Raises NodeUnavailable when they are many."""
        self._kept_list.forget()
        # One that was not there cannot be deleted, and is as wanted.
        absent = [failure for failure in failures if wanted[failure.position].value is None]
        left = read_values(self._session, [wanted[failure.position][:2] for failure in absent])
        as_wanted = {failure.position for failure, value in zip(absent, left, strict=True) if value is None}
        refused = {
            failure.position: _not_taken(wanted[failure.position], failure.message)
            for failure in failures
            if failure.position not in as_wanted
        }
        if len(refused) > MOST_REFUSED:
            raise NodeUnavailable(f"{next(iter(refused.values()))} So it was with {len(refused)} keys.")
        return refused

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
        listed = self._kept_list.of(len(wanted))
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
        return self._known_and_values(asked, ())[0]

    def _known_and_values(
        self, asked: Mapping[str, Iterable[str]], variables: Sequence[str]
    ) -> tuple[dict[str, set[str]], list[str]]:
        """Those of these names that are set up here, by family; of few, all by one question. And the values of the variables."""
        names = {family: list(dict.fromkeys(some)) for family, some in asked.items()}
        listed = {family: self._set_up[family].of(len(some)) for family, some in names.items()}
        few = [(family, name) for family, some in names.items() if listed[family] is None for name in some]
        # Variables are told many at once; Asterisk evaluates them, so only plain names are asked for so.
        plain = [each for each in few if PLAIN.fullmatch(each[1])] if may_read(self._session) else []
        told = read_variables(
            self._session,
            [f"DB_EXISTS({family}/{name}/{_SET_UP[family]})" for family, name in plain] + list(variables),
        )
        said = dict(zip(plain, told, strict=False))
        found = {each for each, value in said.items() if value == "1"}
        rest = [each for each in few if said.get(each) not in {"0", "1"}]
        values = read_values(self._session, [(family, f"{name}/{_SET_UP[family]}") for family, name in rest])
        found |= {each for each, value in zip(rest, values, strict=True) if value is not None}
        known = {
            family: {name for name in some if (family, name) in found}
            if known is None
            else known.keys() & some
            for (family, some), known in zip(names.items(), listed.values(), strict=True)
        }
        return known, told[len(plain) :]


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


def _not_taken(own: OwnKey, message: str) -> str:
    verb = "delete" if own.value is None else "take"
    return f"It did not {verb} FreePBX's key {own.family}/{own.key}: {message}."


def _no_user(number: str) -> str:
    return f"FreePBX has no user {number}: add it there."


def _no_device(change: Rings | ActsAs) -> str:
    where = f"@{change.node}" if isinstance(change, Rings) else "@ and its node"
    return (
        f"FreePBX has no device {change.phone}: add it there; where it is a phone of another node, "
        f"as a custom device that dials PJSIP/*{change.phone}{where}."
    )


def encode(own: OwnKey) -> bytes:
    """The action that writes a key."""
    if own.value is None:
        return unnumbered("DBDel", {"Family": own.family, "Key": own.key})
    return unnumbered("DBPut", {"Family": own.family, "Key": own.key, "Val": own.value})
