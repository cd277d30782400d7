"""What concerns all extensions of an organization, in steps: its removal, and what the nodes must hear when it is disabled, enabled or renamed.

What is left to do stands in `organization_change`. Each step is a transaction of its own, so nobody else waits; whoever comes, the
command that began it or the sweep, goes on where the last one stopped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import structlog
from psycopg.rows import class_row

from roost.database import Conflicting, Database, query
from roost.errors import DatabaseTooSlow

log = structlog.get_logger(__name__)

#: Extensions in one step.
STEP = 500


@dataclass(frozen=True, slots=True)
class OrganizationSteps:
    """What is left to do for an organization: `done` of about `total` extensions are through."""

    id: int
    code: str
    removing: bool
    done: int
    total: int


def steps_left(database: Database, code: str | None = None) -> list[OrganizationSteps]:
    """The organizations with steps left, those waited for longest first; or the one of this code."""
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(OrganizationSteps)) as cursor,
    ):
        return cursor.execute(query("list_organization_changes"), {"code": code}).fetchall()


def take_steps(database: Database, code: str) -> Iterator[OrganizationSteps]:
    """Take every step left for an organization; before each, how far it is. Raises DatabaseUnavailable."""
    while left := steps_left(database, code):
        yield left[0]
        _step(database, left[0].id)


def take_some_steps(database: Database, seconds: float, code: str | None = None) -> bool:
    """Take steps for about so long, for all or for the one of this code; whether none is left now.

    An organization whose rows somebody holds, or whose step PostgreSQL refuses, keeps no other waiting: it is left to the next run.
    """
    ends = time.monotonic() + seconds
    put_off: set[int] = set()
    while left := [each for each in steps_left(database, code) if each.id not in put_off]:
        if time.monotonic() >= ends:
            return False
        try:
            _step(database, left[0].id)
        except (Conflicting, DatabaseTooSlow, psycopg.Error) as error:
            if code is not None:
                raise
            put_off.add(left[0].id)
            if not isinstance(error, Conflicting):
                log.exception("organization_step_failed", organization=left[0].code)
    return not put_off


def _step(database: Database, organization_id: int) -> None:
    database.statement(query("step_organization"), {"id": organization_id, "most": STEP})
