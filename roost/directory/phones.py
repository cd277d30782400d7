"""Phones: added, listed, changed, unlocked, removed.

The guest of a phone that is disabled, removed or given another base extension goes home: the trigger phone_changed in schema.sql.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Unpack
from uuid import uuid4

from psycopg.types.json import Jsonb

from roost.database import Connection
from roost.directory import fields
from roost.directory.changes import By, NewPhoneFields, PhoneFields, checked
from roost.directory.demands import hold_demands
from roost.directory.errors import UnknownOrganization, UnknownPhone
from roost.directory.extensions import extension_id
from roost.directory.nodes import node_id
from roost.directory.records import PhoneRecord
from roost.directory.store import LIMIT, Store, found, one, pages


class PhoneDirectory(Store):
    """The phones of the directory."""

    def add_phone(self, name: str, *, organization: str, node: str, **given: Unpack[NewPhoneFields]) -> None:
        """Add a phone, homed on a node."""
        fields.PHONE_NAME.check(name)
        changes = checked(given)

        def work(connection: Connection) -> None:
            if (
                one(connection, "add_phone", {"name": name, "organization": organization, "node": node})
                is None
            ):
                node_id(connection, node)
                raise UnknownOrganization(f"({organization})")
            _change_phone(connection, name, changes)
            hold_demands(connection, [name])

        self._write(work, f"phone {name}")

    def phones(
        self, *, organization: str | None = None, node: str | None = None, search: str | None = None,
        after: str | None = None, limit: int = LIMIT,
    ) -> list[PhoneRecord]:  # fmt: skip
        """Phones in order of name, after that of `after`. `search`: a part of a name."""
        params: dict[str, object] = {
            "name": None, "organization": None, "node": None, "search": search and fields.SEARCH.check(search), "after": after, "limit": limit,
        }  # fmt: skip
        if organization is not None or node is not None:
            with self._database.connection() as connection:
                ids = one(connection, "find_owners", {"organization": organization, "node": node}) or (0, 0)
            given = (("organization", organization, ids[0]), ("node", node, ids[1]))
            params |= {name: found for name, asked, found in given if asked is not None}
        return self._list(PhoneRecord, "list_phones", params)

    def each_phone(
        self, *, organization: str | None = None, node: str | None = None, search: str | None = None,
        after: str | None = None, limit: int,
    ) -> Iterator[PhoneRecord]:  # fmt: skip
        """Like `phones`, for any number of them: they are read some at a time."""

        def read(after: str | None, limit: int) -> list[PhoneRecord]:
            return self.phones(organization=organization, node=node, search=search, after=after, limit=limit)

        return pages(read, lambda row: row.name, after, limit)

    def phone(self, name: str) -> PhoneRecord:
        """One phone by its name. Raises UnknownPhone."""
        params = {"name": name, "organization": None, "node": None, "search": None, "after": None, "limit": 1}
        return found(self._list(PhoneRecord, "list_phones", params), UnknownPhone, name)

    def change_phone(self, name: str, **given: Unpack[PhoneFields]) -> None:
        """Change what is given. A guest goes home from a phone that is disabled or given another base."""
        changes = checked(given)
        self._write(lambda connection: _change_phone(connection, name, changes), f"phone {name}")

    def remove_phone(self, name: str) -> None:
        """Remove a phone; its guest goes home first."""
        self._write_one("remove_phone", {"name": name}, UnknownPhone, f"phone {name}")

    def unlock_phone(self, name: str, by: By) -> None:
        """Forget the wrong codes keyed on it so far, and the locks they led to."""
        params = {"phone": name, **by._asdict(), "request_id": f"{by.origin}:{uuid4()}"}
        self._write_one("unlock_phone", params, UnknownPhone, f"phone {name}")


def _change_phone(connection: Connection, name: str, changes: Mapping[str, Any]) -> None:
    columns = dict(changes)
    if "node" in columns:
        columns["node_id"] = node_id(connection, columns.pop("node"))
    if "base" in columns:
        base = columns.pop("base")
        columns["base_id"] = None if base is None else extension_id(connection, base)
    one(connection, "lock_speakers", {"name": name, "base_id": columns.get("base_id")})
    if one(connection, "change_phone", {"name": name, "changes": Jsonb(columns)}) is None:
        raise UnknownPhone(f"({name})")
