"""Busy lamps that follow people: the hints of an Asterisk, one dialplan context an organization.

The operator's context `roost-lamps-<organization>` has a pattern whose hint is read from AstDB (asterisk/roost_features.conf.sample).
Asterisk reads it when a lamp is first watched, and from then on that extension has a hint of its own, which stays as it is: here
it is changed when its owner moves. Nothing says how far the hints are, and nothing need: a restart or a `dialplan reload` loses them,
and the pattern is read again, from rows that are as new as the cursor.

Facts, tried on Asterisk 22:

- `DialplanExtensionAdd` asks for the class `system`, `Getvar` for `reporting`. A user without that has no lamps that follow.
- `HINT()` of an extension that nobody watches is the text of the pattern, with `${` in it; in a context that is missing, nothing.
  It makes no hint. `DialplanExtensionAdd` would make a context that is missing.
- To find a hint takes some 60 ns for each that its context has.
- What is left of the device of whoever rings nowhere is `PJSIP/`, which is unavailable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from roost.pbx.ami.codec import fields_of, unnumbered
from roost.pbx.ami.session import AmiSession
from roost.pbx.asterisk.variables import may_read, read_variables
from roost.pbx.node import Change, Key, RefusedRow, Rings, key_of

CONTEXT: Final = "roost-lamps-"
#: Extensions asked for one by one; for more, all hints are listed.
ONE_BY_ONE: Final = 256
#: Lamps changed within one deadline.
AT_ONCE: Final = 500
_DEVICE: Final = "PJSIP/"
#: Keys as Roost makes them; in what a node was found to hold, others may be, and must not stand in an expression.
_EXTENSION = re.compile(r"([A-Za-z0-9]{1,16})\*([0-9]{1,16})")


class Lamps:
    """The lamps of the node at the other end of a session. Each step has a deadline of its own: many lamps take long."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session

    def follow(self, changes: Sequence[Change]) -> list[RefusedRow]:
        """Change the lamps that show another phone than these rows do, which the node has; those that it did not change."""
        wanted = {key: device(change) for change in changes if (key := key_of(change))[0] == "e"}
        wrong = self._wrong(wanted)
        refused: list[RefusedRow] = []
        for place in range(0, len(wrong), AT_ONCE):
            some = wrong[place : place + AT_ONCE]
            with self._session.deadline():
                failures = self._session.ask_many([(key[1], wanted[key]) for key in some], _encode_add)
            refused += [
                RefusedRow(some[failure.position], f"Its lamp: {failure.message}.") for failure in failures
            ]
        return refused

    def astray(self, rows: Mapping[Key, Change | None]) -> list[Key]:
        """The keys whose lamp shows another phone than their row."""
        return self._wrong(
            {key: device(row) for key, row in rows.items() if key[0] == "e" and row is not None}
        )

    def _wrong(self, wanted: Mapping[Key, str]) -> list[Key]:
        if not wanted:
            return []
        with self._session.deadline():
            if not may_read(self._session):
                return []
        organizations: dict[str, list[Key]] = {}
        for key in wanted:
            if found := _EXTENSION.fullmatch(key[1]):
                organizations.setdefault(found[1], []).append(key)
        # One of each organization tells whether that has lamps at all.
        shown = self._shown([keys[0] for keys in organizations.values()])
        more = [key for keys in organizations.values() if shown[keys[0]] for key in keys[1:]]
        shown |= self._shown(more) if len(more) <= ONE_BY_ONE else self._watched()
        return [key for key, hint in shown.items() if key in wanted and _is_wrong(hint, wanted[key])]

    def _watched(self) -> dict[Key, str]:
        """Every hint that there is."""
        found: dict[Key, str] = {}
        with self._session.deadline():
            listed = self._session.ask_list("ExtensionStateList", {})
        for message in listed:
            fields = fields_of(message)
            before, prefix, organization = fields.get("Context", "").partition(CONTEXT)
            if prefix and not before:
                found["e", f"{organization}*{fields.get('Exten', '')}"] = fields.get("Hint", "")
        return found

    def _shown(self, keys: Sequence[Key]) -> dict[Key, str]:
        """The hint of each extension; empty where there is none."""
        with self._session.deadline():
            return dict(zip(keys, read_variables(self._session, [_hint(key) for key in keys]), strict=True))


def device(change: Change) -> str:
    """The device that the lamp of an extension shows."""
    return f"{_DEVICE}{change.phone or ''}" if isinstance(change, Rings) else _DEVICE


def _is_wrong(shown: str, wanted: str) -> bool:
    return shown.startswith(_DEVICE) and "${" not in shown and shown != wanted


def _hint(key: Key) -> str:
    organization, _, number = key[1].partition("*")
    return f"HINT({number}@{CONTEXT}{organization})"


def _encode_add(lamp: tuple[str, str]) -> bytes:
    organization, _, number = lamp[0].partition("*")
    fields: Iterable[tuple[str, str]] = (
        ("Context", f"{CONTEXT}{organization}"), ("Extension", number), ("Priority", "hint"),
        ("Application", lamp[1]), ("Replace", "yes"),
    )  # fmt: skip
    return unnumbered("DialplanExtensionAdd", dict(fields))
