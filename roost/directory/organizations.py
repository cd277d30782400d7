"""Organizations: added, listed, changed, removed.

An organization that is disabled or removed sends every guest home. For a large one this goes in steps (`organization_steps`), as
does what its nodes must hear when it is renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

from psycopg.types.json import Jsonb

from roost.database import Connection, query
from roost.directory import fields
from roost.directory.changes import OrganizationFields, checked
from roost.directory.demands import hold_demands
from roost.directory.errors import OrganizationNotEmpty, UnknownOrganization
from roost.directory.organization_steps import take_steps
from roost.directory.records import OrganizationName, OrganizationRecord
from roost.directory.store import LIMIT, Store, found, one, pages


class OrganizationDirectory(Store):
    """The organizations of the directory."""

    def add_organization(self, code: str, **given: Unpack[OrganizationFields]) -> None:
        """Add an organization."""
        fields.ORGANIZATION_CODE.check(code)
        changes = checked(given)

        def work(connection: Connection) -> None:
            one(connection, "add_organization", {"code": code})
            self._change_organization(connection, code, changes)
            hold_demands(connection)

        self._write(work, f"organization {code}")

    def organizations(self, *, after: str | None = None, limit: int = LIMIT) -> list[OrganizationRecord]:
        """Organizations in order of code."""
        return self._list(
            OrganizationRecord, "list_organizations", {"code": None, "after": after, "limit": limit}
        )

    def each_organization(self, *, after: str | None = None, limit: int) -> Iterator[OrganizationRecord]:
        """Like `organizations`, for any number of them: they are read some at a time."""
        return pages(
            lambda after, limit: self.organizations(after=after, limit=limit),
            lambda row: row.code,
            after,
            limit,
        )

    def organization(self, code: str) -> OrganizationRecord:
        """One organization by its code. Raises UnknownOrganization."""
        params = {"code": code, "after": None, "limit": 1}
        return found(self._list(OrganizationRecord, "list_organizations", params), UnknownOrganization, code)

    def organization_name(self, code: str) -> OrganizationName:
        """What pages say of one organization; nothing is counted."""
        rows = self._list(OrganizationName, "name_organization", {"organization": code})
        return found(rows, UnknownOrganization, code)

    def change_organization(
        self, code: str, new_code: str | None = None, **given: Unpack[OrganizationFields]
    ) -> None:
        """Change what is given, and rename it if there is a new code: all of it, or nothing."""
        changes = checked(given)
        if new_code is not None:
            fields.ORGANIZATION_CODE.check(new_code)

        def work(connection: Connection) -> None:
            self._change_organization(connection, code, changes)
            if new_code is not None:
                one(connection, "rename_organization", {"code": code, "new": new_code})

        self._write(work, f"organization {code}")

    def rename_organization(self, code: str, new: str) -> None:
        """Give it another code: its extensions are reached by that from now on. The journal keeps the old one."""
        self.change_organization(code, new)

    def remove_organization(self, code: str, *, with_everything: bool = False) -> None:
        """Remove an organization; its extensions and phones only if the caller says so."""
        if with_everything:
            self.begin_removal(code)
            for _ in take_steps(self._database, code):
                pass
            return

        def work(connection: Connection) -> None:
            extensions, phones, _ = one(
                connection, "count_belongings", {"organization": code, "node": None}
            ) or (0, 0, 0)
            if extensions or phones:
                raise OrganizationNotEmpty(f"({code}: extensions {extensions}, phones {phones})")
            if one(connection, "remove_organization", {"code": code}) is None:
                raise UnknownOrganization(f"({code})")

        self._write(work, f"organization {code}")

    def begin_removal(self, code: str) -> None:
        """Have it removed with its extensions and phones: nobody moves there any more, and the steps that are left remove it.

        Whoever does not take them (`take_steps`) leaves them to the sweep.
        """

        def work(connection: Connection) -> None:
            if one(connection, "mark_organization_removed", {"code": code}) is None:
                raise UnknownOrganization(f"({code})")
            connection.execute(query("enable_organization"), {"code": code, "enabled": False})

        self._write(work, f"organization {code}")

    def _change_organization(self, connection: Connection, code: str, changes: dict[str, Any]) -> None:
        changed = one(connection, "change_organization", {"code": code, "changes": Jsonb(changes)})
        if changed is None:
            raise UnknownOrganization(f"({code})")
        if "enabled" in changes:
            connection.execute(query("enable_organization"), {"code": code, "enabled": changes["enabled"]})
