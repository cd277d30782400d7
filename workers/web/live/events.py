"""The event stream of the API: one reader a process, each viewer hears what its scope holds."""

from __future__ import annotations

import json

from roost.database import Database
from roost.nodes.watching import ChangesSince, organization_of, read_changes_since
from roost.pbx.node import ActsAs, Change, Cursor, Rings
from workers.web.live.stream import Viewer, event


class WatchedChanges:
    """Follows the change log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cursor: Cursor | None = None
        self._since: ChangesSince | None = None
        self._scopes: dict[Viewer, str | None] = {}

    def is_ahead_of(self, cursor: Cursor) -> bool:
        """Whether the viewers were told more than what comes up to this cursor."""
        mine = self._cursor
        assert mine is not None  # viewers join after the first look
        return mine.lineage == cursor.lineage and mine.version > cursor.version

    def add(self, viewer: Viewer, organization: str | None) -> None:
        """A viewer with this scope hears what comes from now on."""
        self._scopes[viewer] = organization

    def look(self) -> None:
        """Read what is new."""
        self._since = read_changes_since(self._database, self._cursor)

    def tell(self, viewers: set[Viewer]) -> None:
        """Tell everybody what they may hear."""
        since = self._since
        assert since is not None  # told after a look
        self._cursor = since.cursor
        for gone in self._scopes.keys() - viewers:
            del self._scopes[gone]
        if since.changes == []:
            return
        told: dict[str | None, str] = {}
        for viewer, organization in self._scopes.items():
            if organization not in told:
                told[organization] = write_changes(since, organization)
            viewer.tell(told[organization])


def write_changes(since: ChangesSince, organization: str | None) -> str:
    """Write the changes of one scope. The last one carries the cursor, so that a batch cut off is sent again."""
    cursor = str(since.cursor)
    if since.changes is None:
        return event("reset", json.dumps({"cursor": cursor}), cursor)
    mine = [
        change for change in since.changes if organization is None or organization_of(change) == organization
    ]
    return "".join(_write(change) for change in mine) + event(
        "cursor", json.dumps({"cursor": cursor}), cursor
    )


def _write(change: Change) -> str:
    match change:
        case Rings():
            return event("extension", json.dumps(change._asdict()))
        case ActsAs():
            return event("phone", json.dumps(change._asdict(), ensure_ascii=False))
        case _:
            kind = "extension" if change.kind == "e" else "phone"
            return event("gone", json.dumps({"kind": kind, kind: change.key}))
