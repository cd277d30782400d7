"""FreePBX's own keys in AstDB, by which its generated dialplan routes: who speaks at a device, and where a user rings.

- `DEVICE/<device>/user`: the user who speaks there. Never `none`, which its own log-off writes, and never missing: such a phone makes
  no emergency calls.
- `AMPUSER/<user>/device`: the devices where the user rings, with `&` between; Roost writes one. Not there: nowhere, so the mailbox answers.

A device is known by its `dial`, a user by `cidnum`: nothing is written about others, for modules list these trees.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from roost.errors import NodeUnavailable
from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.session import ActionFailed, AmiSession
from roost.pbx.ami.table import NOT_FOUND, read_values
from roost.pbx.node import ActsAs, Change, Key, Rings, key_of

DEVICE: Final = "DEVICE"
USER: Final = "AMPUSER"
#: Keys read one by one; for more, all of them are listed.
ONE_BY_ONE: Final = 256
#: Seconds for which a list of them will do for the pieces of one audit, which are looked at again before anything is mended.
LATELY: Final = 10.0
#: What FreePBX writes for nobody.
NOBODY: Final = frozenset({"", "none"})
_SPEAKS, _RINGS = "user", "device"
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
        self._lately: dict[str, dict[str, str]] = {}
        self._listed_at = 0.0

    def faults(self, changes: Sequence[Change]) -> dict[Key, str]:
        """Which of these rows name a user or a device that this FreePBX does not know, and what to do."""
        about = [change for change in changes if isinstance(change, Rings | ActsAs)]
        users = self.known_users([_user(change) for change in about])
        devices = self.known_devices([change.phone for change in about if change.phone])
        return {
            key_of(change): _no_user(_user(change)) if _user(change) not in users else _no_device(change)
            for change in about
            if _user(change) not in users or (change.phone and change.phone not in devices)
        }

    def write(self, wanted: Sequence[OwnKey]) -> None:
        """Make the keys so. Raises NodeUnavailable when one is not taken."""
        self._listed_at = 0.0
        puts = [own for own in wanted if own.value is not None]
        if failures := self._session.ask_many(puts, _encode_put):
            raise NodeUnavailable(f"It did not take {puts[failures[0].position]}: {failures[0].message}")
        missing = [own for own in wanted if own.value is None]
        failed = [missing[failure.position] for failure in self._session.ask_many(missing, _encode_delete)]
        # One that was not there is answered with an error, too.
        left = read_values(self._session, [(own.family, own.key) for own in failed])
        if any(value is not None for value in left):
            raise NodeUnavailable(f"It did not delete {failed[0].family}/{failed[0].key}.")

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
        return self._known(USER, "cidnum", numbers)

    def known_devices(self, phones: Iterable[str]) -> set[str]:
        """Those of these phones that are devices here."""
        return self._known(DEVICE, "dial", phones)

    def default_users(self) -> dict[str, str]:
        """The user that each device has by itself; a device that belongs to nobody is left out."""
        defaults = read_field(self._session, DEVICE, "default_user")
        return {device: user for device, user in defaults.items() if user not in NOBODY}

    def _values(self, wanted: Sequence[OwnKey]) -> list[str]:
        """What these keys hold; empty: nothing. Of many, as it was some seconds ago."""
        if len(wanted) <= ONE_BY_ONE:
            values = read_values(self._session, [(own.family, own.key) for own in wanted])
            return [(value or b"").decode(errors="replace") for value in values]
        if time.monotonic() > self._listed_at + LATELY:
            self._lately = {
                DEVICE: read_field(self._session, DEVICE, _SPEAKS),
                USER: read_field(self._session, USER, _RINGS),
            }
            self._listed_at = time.monotonic()
        return [self._lately[own.family].get(own.key.rpartition("/")[0], "") for own in wanted]

    def _known(self, family: str, field: str, names: Iterable[str]) -> set[str]:
        asked = list(dict.fromkeys(names))
        if len(asked) > ONE_BY_ONE:
            return read_field(self._session, family, field).keys() & asked
        values = read_values(self._session, [(family, f"{name}/{field}") for name in asked])
        return {name for name, value in zip(asked, values, strict=True) if value is not None}


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


def _encode_put(own: OwnKey) -> bytes:
    return unnumbered("DBPut", {"Family": own.family, "Key": own.key, "Val": own.value or ""})


def _encode_delete(own: OwnKey) -> bytes:
    return unnumbered("DBDel", {"Family": own.family, "Key": own.key})
