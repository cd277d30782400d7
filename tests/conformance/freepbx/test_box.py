"""What a FreePBX has set up, as AstDB tells it."""

from __future__ import annotations

import pytest

from roost.pbx.freepbx.box import caller_id

READ = {
    '"Desk 4" <+15550104>': ("Desk 4", "+15550104"),
    "Desk 4 <+15550104>": ("Desk 4", "+15550104"),
    ' "Desk 4"<104> ': ("Desk 4", "104"),
    "<+15550104>": ("", "+15550104"),
    " +15550104 ": ("", "+15550104"),
    '"Jürgen & Söhne" <1>': ("Jürgen & Söhne", "1"),
    "": ("", ""),
    "somebody": ("", ""),
    '"Desk "4"" <104>': ("", ""),
    '"Desk 4" <104> <105>': ("", ""),
    '"Desk 4" <one>': ("", ""),
}


@pytest.mark.parametrize("text", READ)
def test_a_caller_id_is_read_as_freepbx_writes_it(text: str) -> None:
    assert caller_id(text) == READ[text]


@pytest.mark.parametrize("text", [" ", '"', "1", " 1", "<", "a ", '" '])
def test_one_without_end_takes_no_time(text: str) -> None:
    assert caller_id(text * 20_000 + "x")[1] == ""
