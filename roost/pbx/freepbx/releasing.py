"""What becomes of a phone or an extension that Roost no longer has: FreePBX has it again, as it was set up there.

The phone speaks as its default user, and that user rings there unless Roost still says where.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from roost.pbx.ami.table import Table
from roost.pbx.freepbx.own_keys import OwnKey, OwnKeys, number_of, rings_at, speaks
from roost.pbx.node import ActsAs, Change, Gone, Key, Rings, key_of

_EXTENSION = re.compile(r"[A-Za-z0-9]{1,16}\*[0-9]{1,16}")


def released(
    table: Table, own: OwnKeys, gone: Sequence[Gone], final: Mapping[Key, Change]
) -> tuple[list[tuple[Key, OwnKey]], dict[str, str | None]]:
    """FreePBX's keys for what is gone, each with that, and where the users ring that were Roost's. Call inside the session's deadline.

    `final` is what becomes of each key now, of those here and of others. What the node's table does not have was never Roost's.
    """
    held = table.read([key_of(each) for each in gone])
    if not held:
        return [], {}
    rows = {key[1]: row for key, row in held.items() if key[0] == "p"}
    defaults = own.default_users()
    bases = {phone: defaults.get(phone) or _base(row) for phone, row in rows.items()}
    devices, users = own.known_devices(bases), own.known_users(bases.values())
    speakers: list[tuple[Key, OwnKey]] = [
        (("p", phone), speaks(phone, base))
        for phone, base in bases.items()
        if phone in devices and base in users
    ]

    left = {key[1] for key in held if key[0] == "e" and _EXTENSION.fullmatch(key[1])}
    left |= {f"{row.organization}*{bases[phone]}" for phone, row in rows.items() if isinstance(row, ActsAs)}
    kept = _finally(table, final, [("e", extension) for extension in left])
    freed = own.known_users(number_of(each) for each in left if not isinstance(kept.get(("e", each)), Rings))
    homes = {phone: user for phone, user in (defaults | bases).items() if user in freed}
    sitting = _finally(table, final, [("p", phone) for phone in homes])
    places: dict[str, str | None] = dict.fromkeys(freed)
    for phone, user in sorted(homes.items(), reverse=True):
        row = sitting.get(("p", phone))
        if not isinstance(row, ActsAs) or row.number == user:
            places[user] = phone
    whose: dict[str, Key] = {base: ("p", phone) for phone, base in bases.items()}
    whose |= {number_of(key[1]): key for key in held if key[0] == "e"}
    return speakers + [(whose[user], rings_at(user, phone)) for user, phone in places.items()], places


def _base(row: Change | None) -> str:
    return row.base if isinstance(row, ActsAs) else ""


def _finally(table: Table, final: Mapping[Key, Change], keys: Collection[Key]) -> dict[Key, Change | None]:
    """What the table has under these keys once everything is written."""
    return table.read([key for key in keys if key not in final]) | {
        key: final[key] for key in keys if key in final
    }
