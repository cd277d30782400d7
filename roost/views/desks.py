"""The desks of an organization as a picture: every phone, whose it is, who sits there, who cannot be reached."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from roost.database import Database, query
from roost.directory.fields import SEARCH
from roost.views.fingerprints import Rows

#: Desks in one part of the picture.
PART = 200


class Desk(NamedTuple):
    """One extension and its phone, or an extension without one (`phone` None); the columns of `list_desks` in their order.

    `number` and `name` are the extension's; `rings_at` is where it rings now, None: nowhere (`unreachable`). `away`: it rings
    elsewhere. `cut_off`: the node of the phone does not answer. `guest` sits here.
    """

    phone: str | None
    node: str | None
    enabled: bool
    number: str
    name: str
    extension_enabled: bool
    allows: bool
    has_code: bool
    rings_at: str | None
    away: bool
    unreachable: bool
    cut_off: bool
    guest: str | None
    guest_name: str | None
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """What all desks of an organization come to."""

    desks: int
    away: int
    unreachable: int
    cut_off: int


@dataclass(frozen=True, slots=True)
class DeskPart:
    """One part of the desks, counted from 1, in order of number; and what all desks of the organization come to."""

    desks: list[Desk]
    counts: DeskCounts
    more: bool


def read_desks(
    database: Database,
    organization: str,
    *,
    search: str = "",
    part: int = 1,
    behind: str = "",
    ahead: str = "",
    counts: DeskCounts | None = None,
) -> DeskPart:
    """Read a part of the desks; `search`: how a number, a word of a name or a phone's name begins.

    Whoever knows the number `behind` which the part begins, or `ahead` of which it ends, spares PostgreSQL the counting; in a search
    they say nothing. `counts` are those of all desks, if the caller knows them; a small organization's are counted here.
    """
    desks = _list_desks(database, desk_params(organization, search, part, behind, ahead))
    if part == 1 and not search and not behind and not ahead and len(desks) <= PART:
        counts = _count(desks)
    more = len(desks) > PART or bool(ahead and not search)
    return DeskPart(desks[:PART], counts or count_desks(database, organization), more)


def read_desks_of(database: Database, organization: str, numbers: Sequence[str]) -> list[Desk]:
    """Read the desks of these short numbers, as far as they are there."""
    params = desk_params(organization) | {"numbers": list(numbers)}
    return _list_desks(database, params)


def count_desks(database: Database, organization: str) -> DeskCounts:
    """Count all desks."""
    params = {"organization": organization}
    with database.connection() as connection, connection.cursor(row_factory=class_row(DeskCounts)) as cursor:
        return cursor.execute(query("count_desks"), params).fetchone() or DeskCounts(0, 0, 0, 0)


def desks_shown(organization: str, search: str, part: int, behind: str = "", ahead: str = "") -> Rows:
    """The rows that `read_desks` makes a part of, but for the counts."""
    return Rows("list_desks", desk_params(organization, search, part, behind, ahead))


def desk_params(
    organization: str, search: str = "", part: int = 1, behind: str = "", ahead: str = ""
) -> dict[str, object]:
    """Of `list_desks`: one more than a part, which says that there are more; `ahead` of a number there always are."""
    counted = not (behind or ahead) or bool(search)
    return {
        "organization": organization, "search": SEARCH.check(search) or None, "numbers": None, "behind": behind or None,
        "ahead": ahead or None, "skip": (part - 1) * PART if counted else 0, "limit": PART if ahead and not search else PART + 1,
    }  # fmt: skip


def _list_desks(database: Database, params: Mapping[str, object]) -> list[Desk]:
    with database.connection() as connection:
        return [Desk._make(row) for row in connection.execute(query("list_desks"), params)]


def _count(desks: Sequence[Desk]) -> DeskCounts:
    return DeskCounts(
        len(desks), sum(desk.away for desk in desks), sum(desk.unreachable for desk in desks),
        sum(desk.cut_off for desk in desks),
    )  # fmt: skip


def list_spare_phones(database: Database, organization: str, *, limit: int = 100) -> list[str]:
    """Read the names of phones without an extension."""
    params = {"organization": organization, "limit": limit}
    with database.connection() as connection:
        return [name for (name,) in connection.execute(query("list_spare_phones"), params)]


def watched_extensions(database: Database, keys: Sequence[tuple[str, str]]) -> dict[str, str]:
    """For each (organization, number): a text that changes whenever what is shown of it does; none: it is gone."""
    watched = extensions_shown(keys)
    with database.connection() as connection:
        rows = connection.execute(query(watched.statement), watched.params).fetchall()
    return {key: hashlib.sha256(seen.encode()).hexdigest()[:24] for key, seen in rows}


def extensions_shown(keys: Sequence[tuple[str, str]]) -> Rows:
    """The rows that the pages of these extensions, (organization, number), are made of, but for their journal."""
    params = {"organizations": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
    return Rows("list_watched_extensions", params)
