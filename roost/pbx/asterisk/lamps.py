"""Busy lamps that follow people: the hints of an Asterisk, one dialplan context an organization.

The operator's context `roost-lamps-<organization>` has a pattern whose hint is read from AstDB (asterisk/roost_features.conf.sample).
Asterisk reads it when a lamp is first watched, and from then on that extension has a hint of its own, which stays as it is: here
it is changed when its owner moves. Nothing says how far the hints are, and nothing need: a restart or a `dialplan reload` loses them,
and the pattern is read again, from rows that are as new as the cursor.

A user who may not read hints (`roost.pbx.ami.hints`) has no lamps that follow. What is left of the device of whoever rings nowhere is
`PJSIP/`, which is unavailable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from roost.pbx.ami.hints import Hints, Watched
from roost.pbx.ami.session import AmiSession
from roost.pbx.node import Change, Key, RefusedRow, Rings, key_of
from roost.pbx.sound_rows import SoundRows

CONTEXT: Final = "roost-lamps-"
_DEVICE: Final = "PJSIP/"
#: Keys as Roost makes them; in what a node was found to hold, others may be, and must not stand in an expression.
_EXTENSION = re.compile(r"([A-Za-z0-9]{1,16})\*([0-9]{1,16})")


class Lamps:
    """The lamps of the node at the other end of a session. Each step has a deadline of its own: many lamps take long."""

    def __init__(self, session: AmiSession) -> None:
        self._hints = Hints(session)

    def follow(self, changes: Sequence[Change]) -> list[RefusedRow]:
        """Change the lamps that show another phone than these rows do, which the node has; those that it did not change."""
        if (isinstance(changes, SoundRows) and changes.kind != "e") or not self._hints.readable():
            return []
        wanted = {key: device(change) for change in changes if (key := key_of(change))[0] == "e"}
        wrong = self._wrong(wanted)
        failures = self._hints.put([(_watched(key), wanted[key]) for key in wrong])
        return [RefusedRow(wrong[each.position], f"Its lamp: {each.message}.") for each in failures]

    def astray(self, rows: Mapping[Key, Change | None]) -> list[Key]:
        """The keys whose lamp shows another phone than their row."""
        return self._wrong(
            {key: device(row) for key, row in rows.items() if key[0] == "e" and row is not None}
        )

    def _wrong(self, wanted: Mapping[Key, str]) -> list[Key]:
        if not wanted or not self._hints.readable():
            return []
        organizations: dict[str, list[Key]] = {}
        for key in wanted:
            if found := _EXTENSION.fullmatch(key[1]):
                organizations.setdefault(found[1], []).append(key)
        # One of each organization tells whether that has lamps at all.
        shown = self._shown([keys[0] for keys in organizations.values()])
        shown |= self._shown([key for keys in organizations.values() if shown[keys[0]] for key in keys[1:]])
        return [key for key, hint in shown.items() if _is_wrong(hint, wanted[key])]

    def _shown(self, keys: Sequence[Key]) -> dict[Key, str]:
        return dict(zip(keys, self._hints.read([_watched(key) for key in keys]), strict=True))


def device(change: Change) -> str:
    """The device that the lamp of an extension shows."""
    return f"{_DEVICE}{change.phone or ''}" if isinstance(change, Rings) else _DEVICE


def _is_wrong(shown: str, wanted: str) -> bool:
    return shown.startswith(_DEVICE) and "${" not in shown and shown != wanted


def _watched(key: Key) -> Watched:
    organization, _, number = key[1].partition("*")
    return Watched(number, f"{CONTEXT}{organization}")
