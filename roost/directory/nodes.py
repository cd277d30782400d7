"""PBX nodes: added, listed, changed, removed. Which organizations a node serves is in `node_scope`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack

from psycopg.types.json import Jsonb

from roost.database import Connection, Database
from roost.directory import fields, node_options
from roost.directory.changes import NodeFields, checked
from roost.directory.demands import hold_demands
from roost.directory.errors import NodeHasPhones, UnknownNode
from roost.directory.node_scope import put_scope
from roost.directory.records import NodeRecord
from roost.directory.rules import BadField
from roost.directory.store import LIMIT, Store, found, one, pages
from roost.pbx.kinds import PbxKind, kind_named
from roost.seal import NODE_SECRET, seal


class NodeDirectory(Store):
    """The nodes of the directory. `seal_public_key` is needed only to set a node's secret."""

    def __init__(self, database: Database, seal_public_key: str | None = None) -> None:
        super().__init__(database)
        self._seal_public_key = seal_public_key

    def add_node(
        self, name: str, kind: str, host: str, port: int | None = None, *, secret: str | None = None,
        options: Mapping[str, object] | None = None, serves: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        """Add a PBX; it is filled by the next sweep. `port` None: the usual one of its kind; `secret` None: its kind has none.

        `serves`: the organizations that it is told of; None: all.
        Raises UnknownKind, BadOption for options that the kind does not take, BadField, UnknownOrganization, and what the kind demands.
        """
        fields.NODE_NAME.check(name)
        found = kind_named(kind)
        parsed = found.parse(options or {})
        values = checked({"host": host, "port": found.port(parsed) if port is None else port})
        columns = node_options.columns_of(parsed)
        params = {
            "name": name, "kind": kind, **values, "secret": self._seal(found, secret),
            "username": columns["username"], "options": Jsonb(columns["options"]),
        }  # fmt: skip

        def work(connection: Connection) -> None:
            one(connection, "add_node", params)
            if serves is not None:
                put_scope(connection, name, serves)
            hold_demands(connection)

        self._write(work, f"node {name}")

    def nodes(self, *, after: str | None = None, limit: int = LIMIT) -> list[NodeRecord]:
        """Nodes in order of name."""
        return self._list(NodeRecord, "list_nodes", {"name": None, "after": after, "limit": limit})

    def each_node(self, *, after: str | None = None, limit: int) -> Iterator[NodeRecord]:
        """Like `nodes`, for any number of them: they are read some at a time."""
        return pages(
            lambda after, limit: self.nodes(after=after, limit=limit), lambda row: row.name, after, limit
        )

    def node(self, name: str) -> NodeRecord:
        """One node by its name. Raises UnknownNode."""
        return found(
            self._list(NodeRecord, "list_nodes", {"name": name, "after": None, "limit": 1}), UnknownNode, name
        )

    def change_node(self, name: str, **given: Unpack[NodeFields]) -> None:
        """Change what is given; the next push tries at once. A port that is the usual one stays so when options change it.

        Raises BadOption for options that the node's kind does not take, and BadField.
        """
        plain = checked(
            {field: value for field, value in given.items() if field not in {"secret", "options"}}
        )

        def work(connection: Connection) -> None:
            changes = dict(plain)
            row = one(connection, "lock_node_options", {"name": name})
            if row is None:
                raise UnknownNode(f"({name})")
            kind, port, username, options = row
            if "secret" in given:
                sealed = self._seal(kind_named(kind), given["secret"])
                one(connection, "set_node_secret", {"name": name, "secret": sealed})
            if "options" in given:
                found = kind_named(kind)
                before = node_options.joined(username, options)
                after = found.parse(node_options.changed(before, given["options"]))
                changes |= node_options.columns_of(after)
                if "port" not in changes and port == found.port(found.parse(before)):
                    changes["port"] = found.port(after)
            one(connection, "change_node", {"name": name, "changes": Jsonb(changes)})

        self._write(work, f"node {name}")

    def remove_node(self, name: str) -> None:
        """Remove a node that has no phones. What it holds stays in it."""

        def work(connection: Connection) -> None:
            *_, phones = one(connection, "count_belongings", {"organization": None, "node": name}) or (0,)
            if phones:
                raise NodeHasPhones(f"({name}: {phones})")
            if one(connection, "remove_node", {"name": name}) is None:
                raise UnknownNode(f"({name})")

        self._write(work, f"node {name}")

    def _seal(self, kind: PbxKind[Any], secret: str | None) -> bytes:
        if kind.has_secret is (secret is None):
            raise BadField(f"A node of kind {kind.name} {'needs a' if kind.has_secret else 'has no'} secret.")
        if secret is None:
            return b""
        fields.NODE_SECRET.check(secret)
        return seal(self._seal_public_key or "", NODE_SECRET, secret).encode()


def node_id(connection: Connection, name: str) -> int:
    """Find a node. Raises UnknownNode."""
    row = one(connection, "find_node", {"name": name})
    if row is None:
        raise UnknownNode(f"({name})")
    return int(row[0])
