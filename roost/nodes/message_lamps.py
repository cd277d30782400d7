"""The message lamps of a node's phones: they show what waits for whoever sits there, whichever node keeps the messages."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from roost.pbx.messages import Messages
from roost.pbx.node import ActsAs, PbxNode

#: Phones that are told at once.
AT_ONCE = 256


class Reached(NamedTuple):
    """A connection to a node. `messages`: None for a kind that knows no mailboxes."""

    node: PbxNode
    messages: Messages | None


def tell_phones(name: str, phones: Collection[str], reach: Callable[[str], Reached]) -> bool:
    """Tell those of the phones, AT_ONCE at most, that are registered at the node; False: it knows of nobody who keeps messages.

    Who sits there is read from the node's own table, at this moment: whoever is told last is told what is true then. `reach` gives a
    connection to a node by its name. Raises NodeUnavailable and NodeRefused, of this node or of the one that keeps the messages.
    """
    here = reach(name)
    keeper = here.messages.keeper() if here.messages else None
    if here.messages is None or keeper is None:
        return False
    ours = here.messages.registered_here(sorted(phones))
    if ours:
        rows = here.node.read([("p", phone) for phone in ours]).values()
        there = here.messages if keeper == name else reach(keeper).messages
        if there is not None:
            here.messages.tell(there.counts([row for row in rows if isinstance(row, ActsAs)]))
    return True
