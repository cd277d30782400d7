"""An Asterisk that is set up as FreePBX sets one up: its keys in AstDB, a model of its dialplan, and what it does to its keys.

`localcluster/freepbx_model.conf` is the dialplan. No whole FreePBX runs here.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from localcluster.asterisk import AsteriskNode
from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.hints import Hints, Watched
from roost.pbx.ami.options import AmiOptions
from roost.pbx.ami.session import AmiSession
from roost.pbx.freepbx.lamps import CONTEXT

_TOP = Path(__file__).resolve().parents[1]
MODEL = _TOP / "localcluster" / "freepbx_model.conf"
INCLUDE = _TOP / "freepbx" / "roost_freepbx.conf"
#: The optional hook that writes who sits there into the bill.
ACCOUNT_HOOK = _TOP / "freepbx" / "roost_freepbx_account.conf"
_DEADLINE = 10.0
#: What stands there under `/refused` and a key has AstDB refuse that key.
_REFUSES = (
    "CREATE TRIGGER refuse BEFORE INSERT ON astdb WHEN EXISTS (SELECT 1 FROM astdb WHERE key = '/refused' || NEW.key) "
    "BEGIN SELECT RAISE(ABORT, 'refused'); END"
)


class User(NamedTuple):
    """A user of the box, its name, and the number that the world sees."""

    number: str
    name: str
    outbound: str = ""


class Device(NamedTuple):
    """A device: fixed ones have a default user. `elsewhere`: the node where it is, for one of another node."""

    name: str
    default_user: str
    emergency: str = ""
    elsewhere: str = ""
    fixed: bool = True


class FreepbxBox(AsteriskNode):
    """One node; arguments beyond these are those of `AsteriskNode`. Its database is set up at the first start.

    `include` are Roost's files in extensions_custom.conf. `may_refuse`: a test may have it `refuse` a key.
    """

    kind = "freepbx"

    def __init__(
        self, name: str, address: str, folder: Path, *, users: Sequence[User], devices: Sequence[Device],
        more: Iterable[tuple[str, str]] = (), include: Sequence[Path] = (INCLUDE,), may_refuse: bool = False,
        **others: Any,
    ) -> None:  # fmt: skip
        self.users = {user.number: user for user in users}
        self.devices = {device.name: device for device in devices}
        self._more = more
        self._may_refuse = may_refuse
        text = "".join(f'#include "{file}"\n' for file in (*include, MODEL)) + "[ext-local](+)\n"
        for user in users:
            text += f"exten => {user.number},1,Gosub(model-who,s,1)\n same => n,Gosub(model-ring,s,1({user.number}))\n"
            dials = [self._device(self.devices[name])["dial"] for name in self._homes(user.number)]
            text += f"exten => {user.number},hint,{file_hint(user.number, dials)}\n"
        known = {"TRANSFER_CONTEXT": "from-internal-xfer", **(others.pop("dialplan_globals", None) or {})}
        super().__init__(
            name, address, folder, dialplan=text, trunk_context="from-node", dialplan_globals=known, **others
        )

    def start(self) -> None:
        """Start; the first time with the keys of all users and devices."""
        database = self.folder / "db" / "astdb.sqlite3"
        if not database.exists():
            database.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(database)) as connection, connection:
                connection.execute(
                    "CREATE TABLE astdb (key VARCHAR(256), value VARCHAR(256), PRIMARY KEY (key))"
                )
                connection.executemany("INSERT INTO astdb VALUES (?, ?)", self.as_set_up().items())
                connection.executemany("INSERT INTO astdb VALUES (?, ?)", self._more)
                if self._may_refuse:
                    connection.execute(_REFUSES)
        super().start()

    def as_set_up(self) -> dict[str, str]:
        """Every key of its users and devices, as FreePBX writes them when they are added."""
        keys: dict[str, str] = {}
        for user in self.users.values():
            keys |= {f"/AMPUSER/{user.number}/{field}": value for field, value in self._user(user).items()}
            if homes := self._homes(user.number):
                keys[f"/AMPUSER/{user.number}/device"] = "&".join(homes)
        for device in self.devices.values():
            keys |= {f"/DEVICE/{device.name}/{field}": value for field, value in self._device(device).items()}
        return keys

    def tell(self, keys: Mapping[str, str | None]) -> None:
        """Write AstDB's keys, such as `/DEVICE/1001/user`, in order; None deletes one. As FreePBX does, over AMI."""
        with contextlib.closing(self.session()) as session, session.deadline():
            session.ask_many(list(keys.items()), _encode)

    @contextlib.contextmanager
    def refusing(self, key: str) -> Iterator[None]:
        """Meanwhile it does not take this key of AstDB: what a disk or a database that is torn would do."""
        assert self._may_refuse
        self.tell({f"/refused{key}": "1"})
        try:
            yield
        finally:
            self.tell({f"/refused{key}": None})

    def ask(self, keys: Sequence[str]) -> dict[str, str]:
        """What AstDB has under these; one that is missing is left out."""
        with contextlib.closing(self.session()) as session, session.deadline():
            answers = session.ask_lists("DBGet", keys, _encode_get)
        found = zip(keys, answers, strict=True)
        return {key: _value(answer[0]) for key, answer in found if not isinstance(answer, str)}

    def lamp(self, user: str) -> str:
        """The hint of a user as it is now."""
        with contextlib.closing(self.session()) as session:
            return Hints(session).read([Watched(user, CONTEXT)])[0]

    def session(self) -> AmiSession:
        """A Manager session of Roost's user."""
        return AmiSession(self.control, AmiOptions(), _DEADLINE)

    # --- what FreePBX does by itself ---

    def edit(self, device: str) -> None:
        """Somebody saves the device in the web interface: it leaves whoever sits there, and is written anew.

        A fixed one goes back to its user; an ad hoc one keeps who spoke, who no longer rings there.
        """
        found = self.devices[device]
        sits = self.ask([f"/DEVICE/{device}/user"]).get(f"/DEVICE/{device}/user", "none")
        keys: dict[str, str | None] = self._without(sits, device)
        fields = self._device(found) | ({} if found.fixed else {"user": sits})
        keys |= {f"/DEVICE/{device}/{field}": value for field, value in fields.items()}
        self.tell(keys)
        if found.fixed:
            self.tell(self._with(found.default_user, device))

    def edit_user(self, number: str) -> None:
        """Somebody saves the user in the web interface: all of it is written anew, but not where it rings."""
        keys = self._user(self.users[number])
        self.tell({f"/AMPUSER/{number}/{field}": value for field, value in keys.items()})

    def delete_user(self, number: str) -> None:
        """Somebody deletes the user in the web interface."""
        self.tell(dict.fromkeys(self.database_show(f"AMPUSER {number}")))

    def lose(self, device: str, user: str) -> None:
        """Somebody deletes the keys by which Roost moves people."""
        self.tell({f"/DEVICE/{device}/user": None, f"/AMPUSER/{user}/device": None})

    def log_off(self, device: str) -> None:
        """FreePBX's own *12: nobody speaks there."""
        sits = self.ask([f"/DEVICE/{device}/user"]).get(f"/DEVICE/{device}/user", "none")
        self.tell({**self._without(sits, device), f"/DEVICE/{device}/user": "none"})

    def reset(self) -> None:
        """A restore, or a repair of AstDB: every device is deleted and written anew, and appended to its user's list."""
        with contextlib.closing(self.session()) as session, session.deadline():
            session.ask("DBDelTree", {"Family": "DEVICE"})
        for device in self.devices.values():
            self.tell({f"/DEVICE/{device.name}/{field}": v for field, v in self._device(device).items()})
            if device.default_user in self.users:
                self.tell(self._with(device.default_user, device.name))

    def _with(self, user: str, device: str) -> dict[str, str | None]:
        key = f"/AMPUSER/{user}/device"
        some = [each for each in self.ask([key]).get(key, "").split("&") if each]
        return {key: "&".join([*some, device] if device not in some else some)}

    def _without(self, user: str, device: str) -> dict[str, str | None]:
        key = f"/AMPUSER/{user}/device"
        some = [each for each in self.ask([key]).get(key, "").split("&") if each not in {"", device}]
        return {key: "&".join(some) or None} if user in self.users else {}

    def _homes(self, user: str) -> list[str]:
        return [device.name for device in self.devices.values() if device.default_user == user]

    @staticmethod
    def _user(user: User) -> dict[str, str]:
        return {
            "cidnum": user.number,
            "cidname": user.name,
            "outboundcid": f'"{user.name}" <{user.outbound}>',
        }

    @staticmethod
    def _device(device: Device) -> dict[str, str]:
        return {
            "dial": f"PJSIP/*{device.name}@{device.elsewhere}"
            if device.elsewhere
            else f"PJSIP/{device.name}",
            "type": "fixed" if device.fixed else "adhoc",
            "default_user": device.default_user,
            "user": device.default_user,
            **({"emergency_cid": device.emergency} if device.emergency else {}),
        }


def file_hint(user: str, dials: Sequence[str]) -> str:
    """The hint of a user as FreePBX's file has it, of what its devices dial; with no device, only the do-not-disturb."""
    return f"{'&'.join(dials)}&Custom:DND{user},CustomPresence:{user}"


def _encode(entry: tuple[str, str | None]) -> bytes:
    key, value = entry
    _, family, name = key.split("/", 2)
    if value is None:
        return unnumbered("DBDel", {"Family": family, "Key": name})
    return unnumbered("DBPut", {"Family": family, "Key": name, "Val": value})


def _encode_get(key: str) -> bytes:
    _, family, name = key.split("/", 2)
    return unnumbered("DBGet", {"Family": family, "Key": name})


def _value(event: bytes) -> str:
    return event.partition(b"\r\nVal: ")[2].partition(b"\r\n")[0].decode()
