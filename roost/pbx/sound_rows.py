"""Many rows as PostgreSQL wrote them, each of which may be sent.

A full send would spend most of its time on making rows into objects and back into text, and hold Python's lock meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import overload

from roost.pbx.node import ActsAs, Change, Kind, Rings

_NAME = rb"[A-Za-z0-9._-]{1,64}"
#: `<node>/<phone>`, or `-` for nowhere; each with a line end.
_PLACES = re.compile(rb"(?:(?:%b/%b|-)\n)*+" % (_NAME, _NAME))
_CONTROL = bytes([*range(0x20), 0x7F])
#: In the fields of one row.
_TABS: dict[Kind, int] = {"e": 0, "p": 7}


class SoundRows(Sequence[Change]):
    """Rows of one kind, none of them odd; `of` makes them. A sequence of changes for all who look at one row after the other.

    `keys` holds a line for each row, and `fields` too: where an extension rings, `<node>/<phone>` or `-`, or the eight fields of a phone
    with TABs between, in the order of `ActsAs`.
    """

    def __init__(self, kind: Kind, keys: bytes, fields: bytes, count: int) -> None:
        self.kind = kind
        self.keys = keys
        self.fields = fields
        self._count = count

    @classmethod
    def of(cls, kind: Kind, keys: bytes, fields: bytes, count: int) -> SoundRows | None:
        """Look at all of them at once; None when any one is what `roost.pbx.checked` may not let pass: then each is to be looked at by itself.

        The lines and TABs are as many as there must be, so none of them is in a key or in a field; nor is another control character.
        """
        tabs = _TABS[kind] * count
        whole = (keys.count(b"\n"), fields.count(b"\n"), fields.count(b"\t")) == (count, count, tabs)
        others = len(keys) + len(fields) - 2 * count - tabs
        clean = len(keys.translate(None, _CONTROL)) + len(fields.translate(None, _CONTROL)) == others
        placed = kind == "p" or _PLACES.fullmatch(fields) is not None
        return cls(kind, keys, fields, count) if whole and clean and placed else None

    @property
    def may_have_emergency_numbers(self) -> bool:
        """False: none of them has one, and nobody need look at each."""
        # The last two fields are the number and the location: where both are empty, the line ends so.
        return self.kind == "p" and self.fields.count(b"\t\t\n") < self._count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Change: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Change]: ...
    def __getitem__(self, place: int | slice) -> Change | Sequence[Change]:
        return self._changes[place]

    @cached_property
    def _changes(self) -> list[Change]:
        rows = zip(_lines(self.keys), _lines(self.fields), strict=True)
        if self.kind == "p":
            return [ActsAs(key, *fields.split("\t")) for key, fields in rows]
        return [Rings(key, *(place.split("/") if place != "-" else (None, None))) for key, place in rows]


def _lines(text: bytes) -> list[str]:
    return text.decode().split("\n")[:-1]
