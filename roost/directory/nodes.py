"""PBX nodes: added, listed, changed, removed. Which organizations a node serves is in `node_scope`."""

from __future__ import annotations

from typing import Unpack

from psycopg.types.json import Jsonb

from roost.database import Connection, Database
from roost.directory import fields
from roost.directory.changes import NodeFields, checked
from roost.directory.errors import NodeHasPhones, UnknownNode
from roost.directory.fields import BadField
from roost.directory.records import NodeRecord
from roost.directory.store import LIMIT, Store, found, one
from roost.pbx import KINDS
from roost.seal import NODE_SECRET, seal


class NodeDirectory(Store):
    """The nodes of the directory. `seal_public_key` is needed only to set a node's secret."""

    def __init__(self, database: Database, seal_public_key: str | None = None) -> None:
        super().__init__(database)
        self._seal_public_key = seal_public_key

    def add_node(self, name: str, kind: str, host: str, port: int, username: str, secret: str) -> None:
        """Add a PBX; it is filled by the next sweep."""
        fields.NODE_NAME.check(name)
        if kind not in KINDS:
            raise BadField(f"The kind of a node must be one of: {', '.join(KINDS)}.")
        values = checked({"host": host, "port": port, "username": username})
        params = {"name": name, "kind": kind, **values, "secret": self._seal(secret)}
        self._write_one("add_node", params, UnknownNode, f"node {name}")

    def nodes(self, *, limit: int = LIMIT) -> list[NodeRecord]:
        """Nodes in order of name."""
        return self._list(NodeRecord, "list_nodes", {"name": None, "limit": limit})

    def node(self, name: str) -> NodeRecord:
        """One node."""
        return found(self._list(NodeRecord, "list_nodes", {"name": name, "limit": 1}), UnknownNode, name)

    def change_node(self, name: str, **given: Unpack[NodeFields]) -> None:
        """Change what is given; the next push tries at once."""
        changes = checked({field: value for field, value in given.items() if field != "secret"})
        if "secret" in given:
            changes["secret"] = "\\x" + self._seal(given["secret"]).hex()
        self._write_one("change_node", {"name": name, "changes": Jsonb(changes)}, UnknownNode, f"node {name}")

    def remove_node(self, name: str) -> None:
        """Remove a node that has no phones. What it holds stays in it."""

        def work(connection: Connection) -> None:
            *_, phones = one(connection, "count_belongings", {"organization": None, "node": name}) or (0,)
            if phones:
                raise NodeHasPhones(f"({name}: {phones})")
            if one(connection, "remove_node", {"name": name}) is None:
                raise UnknownNode(f"({name})")

        self._write(work, f"node {name}")

    def _seal(self, secret: str) -> bytes:
        fields.NODE_SECRET.check(secret)
        return seal(self._seal_public_key or "", NODE_SECRET, secret).encode()


def node_id(connection: Connection, name: str) -> int:
    """Find a node. Raises UnknownNode."""
    row = one(connection, "find_node", {"name": name})
    if row is None:
        raise UnknownNode(f"({name})")
    return int(row[0])
