"""The directory: organizations, extensions, phones and nodes, added, listed, changed and removed.

Every method is one transaction. What a change does to guests and to the nodes follows from the schema's triggers,
as it does for a person with psql. Raises the errors of roost.directory.errors, BadField and DatabaseUnavailable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from roost.database import Connection, Database, query
from roost.directory import fields
from roost.directory.changes import (
    ExtensionFields,
    NewPhoneFields,
    NodeFields,
    OrganizationFields,
    PhoneFields,
    checked,
)
from roost.directory.errors import (
    NodeHasPhones,
    OrganizationNotEmpty,
    UnknownExtension,
    UnknownNode,
    UnknownOrganization,
    UnknownPhone,
    in_words,
)
from roost.directory.fields import BadField, ExtensionKey
from roost.directory.records import ExtensionRecord, NodeRecord, OrganizationRecord, PhoneRecord
from roost.errors import NotFound
from roost.pbx import KINDS
from roost.seal import NODE_SECRET, seal

R = TypeVar("R")
#: Rows of one listing, unless the caller says otherwise.
LIMIT = 1000


class Directory:
    """`seal_public_key` is needed only to set the secret of a node."""

    def __init__(self, database: Database, seal_public_key: str | None = None) -> None:
        self._database = database
        self._seal_public_key = seal_public_key

    # --- organizations ---

    def add_organization(self, code: str, **given: Unpack[OrganizationFields]) -> None:
        """Add an organization."""
        fields.ORGANIZATION_CODE.check(code)
        changes = checked(given)

        def work(connection: Connection) -> None:
            _one(connection, "add_organization", {"code": code})
            self._change_organization(connection, code, changes)

        self._write(work, f"organization {code}")

    def organizations(self, *, after: str | None = None, limit: int = LIMIT) -> list[OrganizationRecord]:
        """Organizations in order of code."""
        return self._list(
            OrganizationRecord, "list_organizations", {"code": None, "after": after, "limit": limit}
        )

    def organization(self, code: str) -> OrganizationRecord:
        """One organization."""
        params = {"code": code, "after": None, "limit": 1}
        return _found(self._list(OrganizationRecord, "list_organizations", params), UnknownOrganization, code)

    def change_organization(self, code: str, **given: Unpack[OrganizationFields]) -> None:
        """Change what is given."""
        changes = checked(given)
        self._write(
            lambda connection: self._change_organization(connection, code, changes), f"organization {code}"
        )

    def remove_organization(self, code: str, *, with_everything: bool = False) -> None:
        """Remove an organization; its extensions and phones only if the caller says so."""

        def work(connection: Connection) -> None:
            extensions, phones, _ = _one(
                connection, "count_belongings", {"organization": code, "node": None}
            ) or (0, 0, 0)
            if (extensions or phones) and not with_everything:
                raise OrganizationNotEmpty(f"({code}: extensions {extensions}, phones {phones})")
            if _one(connection, "remove_organization", {"code": code}) is None:
                raise UnknownOrganization(f"({code})")

        self._write(work, f"organization {code}")

    def _change_organization(self, connection: Connection, code: str, changes: dict[str, Any]) -> None:
        changed = _one(connection, "change_organization", {"code": code, "changes": Jsonb(changes)})
        if changed is None:
            raise UnknownOrganization(f"({code})")
        if "enabled" in changes:
            connection.execute(query("enable_organization"), {"code": code, "enabled": changes["enabled"]})

    # --- extensions ---

    def add_extension(self, key: str, **given: Unpack[ExtensionFields]) -> None:
        """Add an extension; it has no secret code, and does not allow virtualization unless the caller says so."""
        where = ExtensionKey.parse(key)._asdict()
        changes = checked(given)

        def work(connection: Connection) -> None:
            if _one(connection, "add_extension", where) is None:
                raise UnknownOrganization(f"({where['organization']})")
            _one(connection, "change_extension", {**where, "changes": Jsonb(changes)})

        self._write(work, f"extension {key}")

    def extensions(
        self,
        *,
        organization: str | None = None,
        search: str | None = None,
        after: str | None = None,
        limit: int = LIMIT,
    ) -> list[ExtensionRecord]:
        """Extensions in order of key, after that of `after`. `search`: how a number begins, or a part of a name."""
        params = {
            "organization": organization,
            "number": None,
            "search": search,
            "after": after,
            "limit": limit,
        }
        return self._list(ExtensionRecord, "list_extensions", params)

    def extension(self, key: str) -> ExtensionRecord:
        """One extension."""
        rows = self._list(ExtensionRecord, "read_extension", ExtensionKey.parse(key)._asdict())
        return _found(rows, UnknownExtension, key)

    def change_extension(self, key: str, **given: Unpack[ExtensionFields]) -> None:
        """Change what is given. Guests go home from a phone whose extension stops allowing virtualization."""
        params = {**ExtensionKey.parse(key)._asdict(), "changes": Jsonb(checked(given))}
        self._write_one("change_extension", params, UnknownExtension, f"extension {key}")

    def remove_extension(self, key: str) -> None:
        """Remove an extension; it goes home first, its guests too, and its phone has no base then."""
        self._write_one(
            "remove_extension", ExtensionKey.parse(key)._asdict(), UnknownExtension, f"extension {key}"
        )

    def unlock_extension(self, key: str) -> None:
        """Forget the wrong codes so far, and the lock they led to."""
        self._write_one(
            "unlock_extension", ExtensionKey.parse(key)._asdict(), UnknownExtension, f"extension {key}"
        )

    # --- phones ---

    def add_phone(self, name: str, *, organization: str, node: str, **given: Unpack[NewPhoneFields]) -> None:
        """Add a phone, homed on a node."""
        fields.PHONE_NAME.check(name)
        changes = checked(given)

        def work(connection: Connection) -> None:
            if (
                _one(connection, "add_phone", {"name": name, "organization": organization, "node": node})
                is None
            ):
                _node_id(connection, node)
                raise UnknownOrganization(f"({organization})")
            _change_phone(connection, name, changes)

        self._write(work, f"phone {name}")

    def phones(
        self, *, organization: str | None = None, node: str | None = None, search: str | None = None,
        after: str | None = None, limit: int = LIMIT,
    ) -> list[PhoneRecord]:  # fmt: skip
        """Phones in order of name, after that of `after`. `search`: a part of a name."""
        params = {
            "name": None, "organization": organization, "node": node, "search": search, "after": after, "limit": limit,
        }  # fmt: skip
        return self._list(PhoneRecord, "list_phones", params)

    def phone(self, name: str) -> PhoneRecord:
        """One phone."""
        params = {"name": name, "organization": None, "node": None, "search": None, "after": None, "limit": 1}
        return _found(self._list(PhoneRecord, "list_phones", params), UnknownPhone, name)

    def change_phone(self, name: str, **given: Unpack[PhoneFields]) -> None:
        """Change what is given. A guest goes home from a phone that is disabled or given another base."""
        changes = checked(given)
        self._write(lambda connection: _change_phone(connection, name, changes), f"phone {name}")

    def remove_phone(self, name: str) -> None:
        """Remove a phone; its guest goes home first."""
        self._write_one("remove_phone", {"name": name}, UnknownPhone, f"phone {name}")

    # --- nodes ---

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
        return _found(self._list(NodeRecord, "list_nodes", {"name": name, "limit": 1}), UnknownNode, name)

    def change_node(self, name: str, **given: Unpack[NodeFields]) -> None:
        """Change what is given; the next push tries at once."""
        changes = checked({field: value for field, value in given.items() if field != "secret"})
        if "secret" in given:
            changes["secret"] = "\\x" + self._seal(given["secret"]).hex()
        self._write_one("change_node", {"name": name, "changes": Jsonb(changes)}, UnknownNode, f"node {name}")

    def remove_node(self, name: str) -> None:
        """Remove a node that has no phones. What it holds stays in it."""

        def work(connection: Connection) -> None:
            *_, phones = _one(connection, "count_belongings", {"organization": None, "node": name}) or (0,)
            if phones:
                raise NodeHasPhones(f"({name}: {phones})")
            if _one(connection, "remove_node", {"name": name}) is None:
                raise UnknownNode(f"({name})")

        self._write(work, f"node {name}")

    def _seal(self, secret: str) -> bytes:
        fields.NODE_SECRET.check(secret)
        return seal(self._seal_public_key or "", NODE_SECRET, secret).encode()

    # --- all ---

    def _list(self, record: type[R], statement: str, params: Mapping[str, object]) -> list[R]:
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(record)) as cursor,
        ):
            return cursor.execute(query(statement), params).fetchall()

    def _write(self, work: Any, subject: str) -> None:
        with in_words(subject):
            self._database.transaction(work)

    def _write_one(
        self, statement: str, params: Mapping[str, object], unknown: type[NotFound], subject: str
    ) -> None:
        def work(connection: Connection) -> None:
            if _one(connection, statement, params) is None:
                raise unknown(f"({subject})")

        self._write(work, subject)


def _change_phone(connection: Connection, name: str, changes: Mapping[str, Any]) -> None:
    columns = dict(changes)
    if "node" in columns:
        columns["node_id"] = _node_id(connection, columns.pop("node"))
    base = columns.pop("base", "")
    if base is None:
        columns["base_id"] = None
    elif base:
        columns["base_id"] = _extension_id(connection, base)
    if _one(connection, "change_phone", {"name": name, "changes": Jsonb(columns)}) is None:
        raise UnknownPhone(f"({name})")


def _node_id(connection: Connection, name: str) -> int:
    row = _one(connection, "find_node", {"name": name})
    if row is None:
        raise UnknownNode(f"({name})")
    return int(row[0])


def _extension_id(connection: Connection, key: str) -> int:
    row = _one(connection, "find_extension", ExtensionKey.parse(key)._asdict())
    if row is None:
        raise UnknownExtension(f"({key})")
    return int(row[0])


def _one(connection: Connection, statement: str, params: Mapping[str, object]) -> tuple[Any, ...] | None:
    return connection.execute(query(statement), params).fetchone()


def _found(rows: list[R], unknown: type[NotFound], name: str) -> R:
    if not rows:
        raise unknown(f"({name})")
    return rows[0]
