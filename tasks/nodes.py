"""Open connections to PBX nodes, kept by the process that pushes to them."""

from __future__ import annotations

from collections.abc import Collection

from roost.directory.node_options import address_of
from roost.nodes.holding import NodeRow
from roost.pbx.kinds import connect
from roost.pbx.node import PbxNode
from roost.settings import Settings


class NodeConnections:
    """One connection a node. Each is used under its node's row lock, so by one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, tuple[tuple[object, ...], PbxNode]] = {}

    def open(self, row: NodeRow) -> PbxNode:
        """The connection from before, or a new one if there is none or the node's address changed."""
        wanted = (row.kind, row.host, row.port, row.username, row.secret, row.options)
        if row.name in self._open and self._open[row.name][0] != wanted:
            self.drop(row)
        if row.name not in self._open:
            self._open[row.name] = (wanted, self.aside(row))
        return self._open[row.name][1]

    def aside(self, row: NodeRow) -> PbxNode:
        """A connection of the caller's own, who closes it."""
        return connect(address_of(row, self._settings.private_keys), self._settings.node_deadline)

    def drop(self, row: NodeRow) -> None:
        """Close and forget the connection, after a failure."""
        kept = self._open.pop(row.name, None)
        if kept is not None:
            kept[1].close()

    def keep_only(self, names: Collection[str]) -> None:
        """Close the connections to nodes that are pushed to no more: whoever disables or removes one waits for who holds its row."""
        for name in list(self._open):
            if name not in names and (kept := self._open.pop(name, None)) is not None:
                kept[1].close()

    def close(self) -> None:
        """Close every connection."""
        while self._open:
            self._open.popitem()[1][1].close()
