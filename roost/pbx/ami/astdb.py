"""Actions on AstDB, Asterisk's key-value store: all of Roost's is in the family `roost`, written as `roost.pbx.row_text` says."""

from __future__ import annotations

from roost.pbx.node import Change, Gone, key_of
from roost.pbx.row_text import key, stored, value
from roost.pbx.sound_rows import SoundRows

FAMILY = "roost"
_AT_ONCE = 500


def action_fields(change: Change) -> tuple[str, dict[str, str]]:
    """The AMI action that makes a change: its name and fields."""
    fields = {"Family": FAMILY, "Key": key(key_of(change))}
    if isinstance(change, Gone):
        return "DBDel", fields
    fields["Val"] = value(change)
    return "DBPut", fields


def unnumbered_puts(rows: SoundRows) -> list[bytes]:
    """What `codec.unnumbered` makes of `action_fields`, in a fifth of the time; a line may be too long.

    None starts a value with a blank: a place has none, and in a field each is written as `%20`.
    """
    put = b"Action: DBPut\r\nFamily: %b\r\nKey: %b/%%b\r\nVal: %%b\r\n" % (
        FAMILY.encode(),
        rows.kind.encode(),
    )
    return [put % each for some in stored(rows, _AT_ONCE) for each in some]
