"""Imports desks: adds what is missing, changes what differs, all or nothing. A second run changes nothing.

An empty cell leaves what is there. Nothing is removed, and secret codes are not imported.

The file is copied row by row into a temporary table, `staged`; statements that look at all rows at once find what is wrong with
them, then what they change (`import_change`), and write it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from roost.database import Conflicting, Connection, Database, query
from roost.directory.demands import hold_demands
from roost.directory.errors import Duplicate, ExtensionHasPhone, in_words
from roost.directory.import_file import BadFile, Desk, Fault, read_file
from roost.errors import DatabaseUnavailable, Invalid

#: Faults and changes that are listed; further ones are only counted.
LISTED = 1000
#: Times an import that met conflicting changes is run again.
TRIES = 3


class ImportRefused(Invalid):
    """The file has faults; nothing was imported."""

    code = "import_refused"

    def __init__(self, faults: list[Fault], *, more: bool) -> None:
        super().__init__(f"({'at least ' if more else ''}{len(faults)})")
        self.faults = faults
        self.more = more


@dataclass(frozen=True, slots=True)
class ImportChange:
    """What a line adds or changes: an `extension` or a `phone`, and its fields as `name: old → new`."""

    line: int
    kind: str
    key: str
    added: bool
    fields: list[str]


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """The desks of the file, and how many things they add or change."""

    desks: int
    extensions_added: int
    extensions_changed: int
    phones_added: int
    phones_changed: int

    @property
    def changes(self) -> int:
        """All that is added or changed."""
        return self.extensions_added + self.extensions_changed + self.phones_added + self.phones_changed


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or with `dry_run` would do. `changes` holds the first LISTED."""

    counts: ImportCounts
    changes: list[ImportChange]


#: Told what goes on, how much of it is done, and of how much; None: nobody knows.
Tell = Callable[[str, int, int | None], None]
#: Rows between two times that the reading of a file is told of.
_TOLD_EVERY = 500
_WRITES = {
    "lock_import_extensions": "locking extensions",
    "lock_import_phones": "locking phones",
    "add_import_extensions": "adding extensions",
    "set_import_extensions": "changing extensions",
    "release_import_phones": "freeing extensions of their phones",
    "add_import_phones": "adding phones",
    "set_import_phones": "changing phones",
}
#: What of the report each of these must write.
_COUNTED = {
    "add_import_extensions": "extensions_added",
    "set_import_extensions": "extensions_changed",
    "add_import_phones": "phones_added",
    "set_import_phones": "phones_changed",
}


class _DryRun(Exception):
    """Undoes the transaction; nothing was written anyway."""


def import_desks(
    database: Database,
    file: BinaryIO,
    *,
    encoding: str = "utf-8-sig",
    dry_run: bool = False,
    organization: str | None = None,
    tell: Tell = lambda _what, _done, _total: None,
) -> ImportReport:
    """Import a file of desks (CSV, seekable) in one transaction; with `organization`, desks of another are faults.

    `tell` is told how far it is.

    Raises BadFile, ImportRefused, UnfitPhoneName, DatabaseUnavailable.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            return _import(database, file, encoding, organization, tell, dry_run=dry_run)
        except Conflicting:
            continue
        except (
            Duplicate,
            ExtensionHasPhone,
        ):  # somebody added the same meanwhile: now the lines are compared with that
            if not tries_left:
                raise
    raise DatabaseUnavailable("Others are changing the same desks; nothing was imported.")


def _import(
    database: Database, file: BinaryIO, encoding: str, organization: str | None, tell: Tell, *, dry_run: bool
) -> ImportReport:
    report: ImportReport | None = None
    try:
        with database.connection() as connection, in_words("the import"), connection.transaction():
            # The pool's limit is for requests; a hundred thousand desks take some seconds a statement.
            connection.execute("SET LOCAL statement_timeout = '10min'")
            rows = _stage(connection, file, encoding, organization, tell)
            tell("comparing desks", 0, rows)
            report = _compare(connection)
            if dry_run:
                raise _DryRun
            # The triggers of each row plan their statements once, perhaps while a table is as good as empty.
            connection.execute("SET LOCAL enable_seqscan = off")
            for done, (statement, what) in enumerate(_WRITES.items()):
                tell(what, done, len(_WRITES))
                written = connection.execute(query(statement)).rowcount
                if statement in _COUNTED and written != getattr(report.counts, _COUNTED[statement]):
                    raise Conflicting  # somebody removed what was compared, before it was locked
            if report.counts.phones_added:
                hold_demands(connection)
    except _DryRun:
        pass
    assert report is not None  # made before anything is written
    return report


def _stage(
    connection: Connection, file: BinaryIO, encoding: str, organization: str | None, tell: Tell
) -> int:
    """Copy the good rows to a temporary table; how many. Raises BadFile, ImportRefused with the faults of all rows."""
    connection.execute(query("stage_import"))
    faults: list[Fault] = []
    rows = 0
    with connection.cursor() as cursor, cursor.copy(query("copy_import")) as copy:
        for desk in _within(organization, read_file(file, encoding)):
            if isinstance(desk, Fault):
                faults.append(desk)
                if len(faults) >= LISTED:
                    break
            else:
                copy.write_row((*desk[:5], Jsonb(desk.extension_fields), Jsonb(desk.phone_fields)))
                rows += 1
                if rows % _TOLD_EVERY == 0:
                    tell("reading desks", rows, None)
    if not rows and not faults:
        raise BadFile("It has no desks.")
    connection.execute("ANALYZE staged")
    connection.execute(query("lock_import_places"))
    found = connection.execute(query("list_import_faults"), {"limit": LISTED}).fetchall()
    for line, text in found:
        code, _, message = text.partition(": ")
        faults.append(Fault(line, code, message))
    if faults:
        faults.sort(key=lambda fault: fault.line)
        raise ImportRefused(faults[:LISTED], more=len(faults) >= LISTED)
    return rows


def _within(organization: str | None, desks: Iterator[Desk | Fault]) -> Iterator[Desk | Fault]:
    for desk in desks:
        if isinstance(desk, Fault) or organization in {None, desk.organization}:
            yield desk
        else:
            yield Fault(desk.line, "not_permitted", f"only desks of {organization} may be imported here")


def _compare(connection: Connection) -> ImportReport:
    connection.execute(query("compare_import"))
    connection.execute("ANALYZE import_change")
    with connection.cursor(row_factory=class_row(ImportCounts)) as cursor:
        counts = cursor.execute(query("count_import_changes")).fetchone()
    with connection.cursor(row_factory=class_row(ImportChange)) as cursor:
        changes = cursor.execute(query("list_import_changes"), {"limit": LISTED}).fetchall()
    assert counts is not None  # it always has one row
    return ImportReport(counts, changes)
