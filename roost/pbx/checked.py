"""What no node is sent, whatever its kind: the one place that every row passes on its way to an adapter.

The directory and the schema let none of it in. It is held up here all the same: on a wire of lines a control character
would begin another command, and a place that is none would ring somewhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from roost.errors import NodeUnavailable, RoostError
from roost.pbx.node import ActsAs, Change, Cursor, Gone, Key, PbxNode, RefusedRow, Rings, key_of
from roost.pbx.sound_rows import SoundRows
from roost.wording import shown

_CONTROL = re.compile("[\x00-\x1f\x7f]")
#: What would end a line. A node that holds an odd key told it itself, so with anything else in it, it may be told to delete it.
_LINE_END = re.compile("[\r\n\x00]")
_NAME = "[A-Za-z0-9._-]{1,64}"
_PLACE = re.compile(f"{_NAME}/{_NAME}")
#: Many of them, each with a line end.
_PLACES = re.compile(f"(?:{_NAME}/{_NAME}\n)*+")
_HOLDS_CONTROL = "It holds a control character."

log = structlog.get_logger(__name__)


def fault(change: Change) -> str:
    """Why no node is sent this change; empty when nothing is wrong with it."""
    if isinstance(change, ActsAs):
        text = "".join(change)
        return _HOLDS_CONTROL if not text.isprintable() and _CONTROL.search(text) else ""
    if isinstance(change, Gone):
        return _HOLDS_CONTROL if not change.key.isprintable() and _LINE_END.search(change.key) else ""
    extension, node, phone = change
    if not extension.isprintable() and _CONTROL.search(extension):
        return _HOLDS_CONTROL
    if node is None and phone is None:
        return ""
    if node is None or phone is None or not _PLACE.fullmatch(f"{node}/{phone}"):
        return "It rings at a place that is none."
    return ""


def faults(changes: Sequence[Change]) -> dict[int, str]:
    """`fault` of those that have one, by place; of sound rows none has."""
    if isinstance(changes, SoundRows) or _nothing_is_odd(changes):
        return {}
    return {place: why for place, change in enumerate(changes) if (why := fault(change))}


def _nothing_is_odd(changes: Sequence[Change]) -> bool:
    """Whether `fault` need not look at any of them: all in one, for a third of the time."""
    texts: list[str] = []
    places: list[str] = []
    for change in changes:
        if isinstance(change, Rings):
            extension, node, phone = change
            texts.append(extension)
            if node is not None or phone is not None:
                texts.append(place := f"{node or ''}/{phone or ''}")
                places.append(f"{place}\n")
        else:
            texts += change
    return "".join(texts).isprintable() and _PLACES.fullmatch("".join(places)) is not None


class AdapterFailed(NodeUnavailable):
    """What speaks to this kind of PBX failed in a way that nobody expects."""


@contextmanager
def adapter_faults() -> Iterator[None]:
    """What an adapter raises that nobody expects becomes a failure of its node, as any other: noted, seen, and tried again after a pause.

    Raises AdapterFailed. The text of it goes to the log alone: nobody knows what is in it.
    """
    try:
        yield
    except RoostError:
        raise
    except Exception as error:
        log.exception("adapter_failed")
        raise AdapterFailed(f"({type(error).__name__}; the log says where)") from error


class CheckedNode:
    """A connection to a node, of which each change was looked at before; a `roost.pbx.node.PbxNode`, as what is inside."""

    def __init__(self, node: PbxNode) -> None:
        self._node = node

    @property
    def inside(self) -> PbxNode:
        """The connection itself, for the checks of its own kind."""
        return self._node

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one."""
        with adapter_faults():
            return self._node.cursor()

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        """Write every change that may be sent, in order, and the cursor; the others are refused, unless a later one has their key."""
        found = faults(changes)
        if not found:
            with adapter_faults():
                return self._node.apply(changes, cursor)
        last = {key_of(change): place for place, change in enumerate(changes)}
        refused = [RefusedRow(key, found[place]) for key, place in last.items() if place in found]
        sound = [change for place, change in enumerate(changes) if place not in found]
        with adapter_faults():
            return refused + self._node.apply(sound, cursor)

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        """What the node holds under these keys."""
        with adapter_faults():
            return self._node.read(keys)

    def keys(self, about: int) -> Iterator[list[Key]]:
        """The keys the node holds, a page at a time."""
        with adapter_faults():
            yield from self._node.keys(about)

    def dump(self) -> dict[Key, Change | None]:
        """All the node holds, at once."""
        with adapter_faults():
            return self._node.dump()

    def health(self) -> str:
        """The PBX's name and version, in a short text."""
        with adapter_faults():
            return shown(self._node.health()[:200])

    def close(self) -> None:
        """Close the connection; never raises."""
        self._node.close()
