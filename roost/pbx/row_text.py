"""How a row is written as text, in Asterisk's AstDB and in Kamailio's table alike.

- `e/<extension key>` = `<node>/<phone>`, or `-`: known, rings nowhere.
- `p/<phone>` = 8 fields with commas between: organization, and the number, name, account code and mailbox the
  phone acts as, its base extension, and its own emergency number and location. Whoever routes a call splits it at the commas
  and decodes each field.
- `cursor` = `<lineage>:<version>`.

In a field every ASCII character but letters, digits and `-._~` is written as `%XX`, so no value can break out
of an expression. The rest of Unicode stays UTF-8, or 64 Japanese characters would take 576 of the
1,024 bytes that an AMI line has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import assert_never
from urllib.parse import unquote_to_bytes

from roost.pbx.node import ActsAs, Change, Key, Rings
from roost.pbx.sound_rows import SoundRows

CURSOR_KEY = "cursor"
_NOWHERE = "-"
_NAME = "[A-Za-z0-9._-]{1,64}"
_PLACE = re.compile(f"({_NAME})/({_NAME})")
#: ASCII but letters, digits and `-._~`, with what stands for each; first of all what they are written with.
_ESCAPES = [
    (b"%c" % code, b"%%%02X" % code) for code in b"%" + bytes(range(0x20, 0x7F)).replace(b"%", b"")
    if not (chr(code).isalnum() or chr(code) in "-._~")
]  # fmt: skip


def key(of: Key) -> str:
    """The key it is stored under."""
    return f"{of[0]}/{of[1]}"


def value(change: Rings | ActsAs) -> str:
    """What is stored for a change, which `roost.pbx.checked` let pass."""
    match change:
        case Rings():
            return _NOWHERE if change.phone is None else f"{change.node}/{change.phone}"
        case ActsAs():
            return _escaped(_fields(change)).decode()
        case _:
            assert_never(change)


def values(changes: Sequence[Rings | ActsAs]) -> list[bytes]:
    """`value` of each, in UTF-8; of many at once, for a third of the time."""
    speaks = [_fields(change) for change in changes if isinstance(change, ActsAs)]
    told = iter(_escaped("\0".join(speaks)).split(b"\0") if speaks else ())
    return [next(told) if isinstance(change, ActsAs) else value(change).encode() for change in changes]


def stored(rows: SoundRows, at_once: int) -> Iterator[list[tuple[bytes, bytes]]]:
    """The key and the value of each, in UTF-8, of so many rows at a time; the key as it is in `rows`, without its kind."""
    keys, fields = rows.keys.split(b"\n"), rows.fields.split(b"\n")
    for place in range(0, len(rows), at_once):
        some = fields[place : min(place + at_once, len(rows))]
        if rows.kind == "p":
            some = _without_specials(b"\n".join(some)).replace(b"\t", b",").split(b"\n")
        yield list(zip(keys[place : place + at_once], some, strict=False))


def _fields(change: ActsAs) -> str:
    """All fields but the phone: a line break cannot be in one, so it stands for the comma between them, as a NUL does for one between rows."""
    return "\n".join(change[1:])


def _escaped(fields: str) -> bytes:
    return _without_specials(fields.encode()).replace(b"\n", b",")


def _without_specials(data: bytes) -> bytes:
    # With bytes this takes a tenth of what an expression takes, or the same with text.
    for special, escape in _ESCAPES:
        data = data.replace(special, escape)
    return data


def change(of: Key, stored: str) -> Change | None:
    """Read a stored value; None when it is not one that `value` writes."""
    kind, name = of
    if kind == "e":
        if stored == _NOWHERE:
            return Rings(name, None, None)
        place = _PLACE.fullmatch(stored)
        return Rings(name, place[1], place[2]) if place else None
    try:
        # As in `value`.
        fields = unquote_to_bytes(stored.replace(",", "\n")).decode().split("\n")
    except UnicodeDecodeError:
        return None
    if len(fields) != 8:
        return None
    organization, number, acts_as, account_code, mailbox, base, emergency_number, emergency_location = fields
    return ActsAs(
        name, organization, number, acts_as, account_code, mailbox, base, emergency_number, emergency_location
    )
