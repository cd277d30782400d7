"""Extensions: added, listed, changed, unlocked, removed.

What a change does to guests is held by triggers in schema.sql, whoever makes it: extension_changed sends guests home when their
host stops allowing them, or when their code is cleared or their extension disabled; extension_removed when one is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack
from uuid import uuid4

from psycopg.types.json import Jsonb

from roost.database import Connection
from roost.directory import fields
from roost.directory.changes import By, ExtensionFields, checked
from roost.directory.errors import UnknownExtension, UnknownOrganization
from roost.directory.fields import ExtensionKey
from roost.directory.records import ExtensionRecord
from roost.directory.store import LIMIT, Store, found, one, pages


class ExtensionDirectory(Store):
    """The extensions of the directory."""

    def add_extension(self, key: str, **given: Unpack[ExtensionFields]) -> None:
        """Add an extension; it has no secret code, and does not allow virtualization unless the caller says so."""
        where = ExtensionKey.parse(key)._asdict()
        changes = checked(given)

        def work(connection: Connection) -> None:
            if one(connection, "add_extension", where) is None:
                raise UnknownOrganization(f"({where['organization']})")
            one(connection, "change_extension", {**where, "changes": Jsonb(changes)})

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
            "search": search and fields.SEARCH.check(search),
            "after_organization": (after or "").partition("*")[0],
            "after_number": (after or "").partition("*")[2],
            "limit": limit,
        }
        return self._list(ExtensionRecord, "list_extensions", params)

    def each_extension(
        self, *, organization: str | None = None, search: str | None = None, after: str | None = None, limit: int,
    ) -> Iterator[ExtensionRecord]:  # fmt: skip
        """Like `extensions`, for any number of them: they are read some at a time."""

        def read(after: str | None, limit: int) -> list[ExtensionRecord]:
            return self.extensions(organization=organization, search=search, after=after, limit=limit)

        return pages(read, lambda row: row.key, after, limit)

    def extension(self, key: str) -> ExtensionRecord:
        """One extension by its key. Raises BadExtensionKey, UnknownExtension."""
        rows = self._list(ExtensionRecord, "read_extension", ExtensionKey.parse(key)._asdict())
        return found(rows, UnknownExtension, key)

    def change_extension(self, key: str, **given: Unpack[ExtensionFields]) -> None:
        """Change what is given. Guests go home from a phone whose extension stops allowing virtualization."""
        params = {**ExtensionKey.parse(key)._asdict(), "changes": Jsonb(checked(given))}
        self._write_one("change_extension", params, UnknownExtension, f"extension {key}")

    def remove_extension(self, key: str) -> None:
        """Remove an extension; it goes home first, its guests too, and its phone has no base then."""
        self._write_one(
            "remove_extension", ExtensionKey.parse(key)._asdict(), UnknownExtension, f"extension {key}"
        )

    def unlock_extension(self, key: str, by: By) -> None:
        """Forget the wrong codes so far, and the locks they led to."""
        params = {**ExtensionKey.parse(key)._asdict(), **by._asdict(), "request_id": f"{by.origin}:{uuid4()}"}
        self._write_one("unlock_extension", params, UnknownExtension, f"extension {key}")


def extension_id(connection: Connection, key: str) -> int:
    """Find an extension. Raises BadExtensionKey, UnknownExtension."""
    row = one(connection, "find_extension", ExtensionKey.parse(key)._asdict())
    if row is None:
        raise UnknownExtension(f"({key})")
    return int(row[0])
