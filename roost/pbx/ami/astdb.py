"""Actions on AstDB, Asterisk's key-value store: all of Roost's is in the family `roost`, written as `roost.pbx.row_text` says."""

from __future__ import annotations

from roost.pbx.node import Change, Gone, key_of
from roost.pbx.row_text import key, value

FAMILY = "roost"


def action_fields(change: Change) -> tuple[str, dict[str, str]]:
    """The AMI action that makes a change: its name and fields."""
    fields = {"Family": FAMILY, "Key": key(key_of(change))}
    if isinstance(change, Gone):
        return "DBDel", fields
    fields["Val"] = value(change)
    return "DBPut", fields
