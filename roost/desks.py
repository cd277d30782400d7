"""The desks of an organization as a picture: every phone, whose it is, who sits there, who cannot be reached."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from roost.database import Database, query


@dataclass(frozen=True, slots=True)
class Desk:
    """One extension and its phone, or an extension without one (`phone` None).

    `number` and `name` are the extension's; `rings_at` is where it rings now, None: nowhere. `guest` sits here.
    """

    phone: str | None
    node: str | None
    node_answers: bool | None
    enabled: bool
    number: str
    name: str
    extension_enabled: bool
    allows: bool
    has_code: bool
    rings_at: str | None
    guest: str | None
    guest_name: str | None
    since: datetime | None
    until: datetime | None

    @property
    def away(self) -> bool:
        """Its extension sits elsewhere."""
        return self.rings_at is not None and self.rings_at != self.phone

    @property
    def unreachable(self) -> bool:
        """Nobody can reach its extension now."""
        return self.rings_at is None

    @property
    def cut_off(self) -> bool:
        """The node of the phone does not answer."""
        return self.node_answers is False


def list_desks(
    database: Database, organization: str, *, search: str | None = None, limit: int = 1000
) -> list[Desk]:
    """Read the desks in order of number; `search`: how a number begins, or a part of a name."""
    params = {"organization": organization, "search": search, "limit": limit}
    with database.connection() as connection, connection.cursor(row_factory=class_row(Desk)) as cursor:
        return cursor.execute(query("list_desks"), params).fetchall()


def list_spare_phones(database: Database, organization: str, *, limit: int = 100) -> list[str]:
    """Read the names of phones without an extension."""
    params = {"organization": organization, "limit": limit}
    with database.connection() as connection:
        return [name for (name,) in connection.execute(query("list_spare_phones"), params)]


def watched_extensions(database: Database, keys: Sequence[tuple[str, str]]) -> dict[str, str]:
    """For each (organization, number): a text that changes whenever what is shown of it does; none: it is gone."""
    params = {"organizations": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
    with database.connection() as connection:
        rows = connection.execute(query("list_watched_extensions"), params).fetchall()
    return {key: hashlib.sha256(seen.encode()).hexdigest()[:24] for key, seen in rows}
