"""PBX nodes: the protocol all adapters speak, and the adapter for each kind."""

from __future__ import annotations

from collections.abc import Callable

from roost.errors import Invalid
from roost.pbx.asterisk.adapter import AsteriskNode
from roost.pbx.node import NodeAddress, PbxNode

#: The kinds of PBX a node may be, and how to reach one.
KINDS: dict[str, Callable[[NodeAddress, float], PbxNode]] = {"asterisk": AsteriskNode}


def connect(kind: str, address: NodeAddress, deadline: float) -> PbxNode:
    """Connect and log in; every call on what is returned ends within `deadline` seconds, as this one does.

    Raises NodeUnavailable, NodeRefused, and Invalid for an unknown kind.
    """
    if kind not in KINDS:
        raise Invalid(f"There is no PBX kind {kind!r}; known: {', '.join(KINDS)}.")
    return KINDS[kind](address, deadline)
