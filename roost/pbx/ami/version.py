"""Which versions of Asterisk can be audited."""

from __future__ import annotations

import re
from collections.abc import Iterator

from roost.finding import Finding, Level

#: The first version of each old branch that has `DBGetTree`, by which the audit reads; newer branches all have it.
_FIRST_OF_BRANCH = {18: 14, 19: 6}
_VERSION = re.compile(r"Asterisk (\d+)\.(\d+)\.")


def examine_version(version: str) -> Iterator[Finding]:
    """Say so if the node's table cannot be read whole."""
    if is_too_old(version):
        yield Finding(
            "nodes", Level.WARNING, f"{version} has no DBGetTree: its table cannot be audited.",
            "Use 18.14, 19.6, or a newer branch.",
        )  # fmt: skip


def is_too_old(version: str) -> bool:
    """Whether this, such as `Asterisk 18.10.0` or `FreePBX on Asterisk 18.10.0`, lacks what Roost needs; a version that is not a release is believed."""
    found = _VERSION.search(version)
    if found is None:
        return False
    branch, minor = int(found[1]), int(found[2])
    return branch < min(_FIRST_OF_BRANCH) or minor < _FIRST_OF_BRANCH.get(branch, 0)
