"""What the doctor says of an Asterisk by its version."""

from __future__ import annotations

import pytest

from roost.pbx.ami.version import is_too_old


@pytest.mark.parametrize(
    ("version", "old"),
    [
        ("Asterisk 18.13.0", True),
        ("Asterisk 18.14.0", False),
        ("Asterisk 18.26.4-rc1", False),
        ("Asterisk 19.5.0", True),
        ("Asterisk 19.6.0", False),
        ("Asterisk 16.30.1", True),
        ("Asterisk 13.38.3", True),
        ("Asterisk 20.0.0", False),
        ("Asterisk 22.5.1~dfsg", False),
        ("FreePBX on Asterisk 18.10.0", True),
        ("FreePBX on Asterisk 22.5.1~dfsg", False),
        ("Asterisk GIT-master-1234", False),
        ("Asterisk of unknown version", False),
        ("", False),
    ],
)
def test_an_asterisk_that_is_too_old_to_be_audited(version: str, old: bool) -> None:  # noqa: FBT001
    assert is_too_old(version) is old
