"""Open connections to PBX nodes, kept by the process that pushes to them."""

from __future__ import annotations

from pydantic import SecretStr

from roost.nodes.holding import NodeRow
from roost.pbx import connect
from roost.pbx.node import NodeAddress, PbxNode
from roost.seal import NODE_SECRET, unseal
from roost.settings import Settings


class NodeConnections:
    """One connection a node. Each is used under its node's row lock, so by one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self._private_key = settings.need("seal_private_key")
        self._deadline = settings.node_deadline
        self._open: dict[str, tuple[tuple[object, ...], PbxNode]] = {}

    def open(self, row: NodeRow) -> PbxNode:
        """The connection from before, or a new one if there is none or the node's address changed."""
        wanted = (row.kind, row.host, row.port, row.username, row.secret)
        if row.name in self._open and self._open[row.name][0] != wanted:
            self.drop(row)
        if row.name not in self._open:
            self._open[row.name] = (wanted, self.aside(row))
        return self._open[row.name][1]

    def aside(self, row: NodeRow) -> PbxNode:
        """A connection of the caller's own, who closes it."""
        secret = SecretStr(unseal(self._private_key, NODE_SECRET, row.secret.decode()))
        address = NodeAddress(row.host, row.port, row.username, secret)
        return connect(row.kind, address, self._deadline)

    def drop(self, row: NodeRow) -> None:
        """Close and forget the connection, after a failure."""
        kept = self._open.pop(row.name, None)
        if kept is not None:
            kept[1].close()

    def close(self) -> None:
        """Close every connection."""
        while self._open:
            self._open.popitem()[1][1].close()
