"""Busy lamps that follow people: the hints of FreePBX's context `ext-local`, as it writes them, with the phone where a user sits.

A `dialplan reload` or a restart puts back those of the file, which know nobody who moved; the audit finds them, where the Manager's user
may read hints. No hint is ever removed: whoever watches it could not watch again. The state of a phone of another node is known only
where the nodes tell each other theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from roost.pbx.ami.hints import ONE_BY_ONE, Hints, Watched, encode_add, variable
from roost.pbx.ami.session import AmiSession
from roost.pbx.freepbx.own_keys import PLAIN, number_of
from roost.pbx.node import Change, Key, Rings

CONTEXT: Final = "ext-local"
#: An endpoint that is none: it is always unavailable.
_AWAY: Final = "roost-away"


class Lamps:
    """The lamps of the node at the other end of a session. Each step has a deadline of its own."""

    def __init__(self, session: AmiSession) -> None:
        self._hints = Hints(session)

    def variables(self, places: Mapping[str, str | None]) -> dict[str, str]:
        """What `actions` wants to know of few users, for whoever asks other things anyway; of many, or where nobody may ask, nothing.

        Nothing either when one is no number: Asterisk evaluates what it is asked.
        """
        if not places or len(places) > ONE_BY_ONE or not all(map(PLAIN.fullmatch, places)):
            return {}
        return {user: variable(Watched(user, CONTEXT)) for user in places} if self._hints.readable() else {}

    def actions(self, places: Mapping[str, str | None], shown: Mapping[str, str]) -> dict[str, bytes]:
        """What is to be sent for the lamp of each user to show this phone, or nothing. `shown` are the values of `variables`, by user."""
        if places.keys() <= shown.keys():
            wrong = _differing(places, [shown[user] for user in places])
        else:
            wrong = self._wrong(places)
        self._hints.forget()
        return {user: encode_add((Watched(user, CONTEXT), hint(user, places[user]))) for user in wrong}

    def astray(self, rows: Mapping[Key, Change | None]) -> list[Key]:
        """The rows whose lamp shows another phone, as far as this user may see that."""
        keys = {number_of(row.extension): key for key, row in rows.items() if isinstance(row, Rings)}
        if not keys or not self._hints.readable():
            return []
        return [keys[user] for user in self._wrong(places_of(list(rows.values())), lately=True)]

    def _wrong(self, places: Mapping[str, str | None], *, lately: bool = False) -> list[str]:
        """Users whose lamp shows something else; a user without a hint has no lamp. All of them, where hints cannot be read."""
        users = list(places)
        if not users or not self._hints.readable():
            return users
        return _differing(places, self._hints.read([Watched(user, CONTEXT) for user in users], lately=lately))


def _differing(places: Mapping[str, str | None], shown: Sequence[str]) -> list[str]:
    """The users whose lamp shows something else than these places; a list of hints leaves the presence out."""
    return [
        user
        for (user, phone), now in zip(places.items(), shown, strict=True)
        if now and now.partition(",")[0] != hint(user, phone).partition(",")[0]
    ]


def hint(user: str, phone: str | None) -> str:
    """The hint of a user, as FreePBX writes it: the device, the user's do-not-disturb, and the presence."""
    return f"PJSIP/{phone or _AWAY}&Custom:DND{user},CustomPresence:{user}"


def places_of(changes: Sequence[Change | None]) -> dict[str, str | None]:
    """Where users ring by these rows."""
    return {number_of(each.extension): each.phone for each in changes if isinstance(each, Rings)}
