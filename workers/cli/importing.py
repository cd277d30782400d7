"""`roost import`: desks from a spreadsheet's file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from roost.database import Database
from roost.directory.found_desks import file_of, read_desks
from roost.directory.import_file import Fault, keep, open_file
from roost.directory.importing import LISTED, ImportRefused, import_desks
from roost.errors import Invalid
from roost.settings import settings
from roost.wording import count_of
from workers.cli.exits import exit_of_error
from workers.cli.output import AsJson, note, say, show_error, show_json
from workers.cli.progress import progress
from workers.cli.session import open_database

_STDIN = Path("-")


def import_file(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.csv", help="One row a desk; the first line names the columns; `-` for stdin."
        ),
    ] = None,
    *,
    from_node: Annotated[
        str | None,
        typer.Option(
            metavar="NODE",
            help="Instead of a file: the desks that this node has set up by itself, where its kind of PBX knows them.",
        ),
    ] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", "--org", help="With --from-node: whose desks they are.")
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="With --from-node: leave out what can be no desk, and say so.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show what would change; change nothing.")
    ] = False,
    encoding: Annotated[str, typer.Option(help="Of the file, such as cp1252.")] = "utf-8-sig",
    as_json: AsJson = False,
) -> None:
    """Add and change extensions and phones, all or nothing; a second run changes nothing.

    Columns: organization, number, name, account_code, mailbox, allows_virtualization, phone, node, emergency_number,
    emergency_location. The first two are needed. An empty cell leaves what is there. Nothing is removed, and secret
    codes are not imported.
    """
    if (file is None) is (from_node is None) or (from_node is None) is not (organization is None):
        raise Invalid("Name a file, or --from-node with its --organization.")
    try:
        with (
            open_database() as database,
            _desks(database, file, from_node, organization, leave_out=leave_out) as desks,
            progress() as tell,
        ):
            report = import_desks(database, desks, encoding=encoding, dry_run=dry_run, tell=tell)
    except ImportRefused as error:
        if as_json:
            show_error(str(error), error.code, faults=error.faults)
        else:
            for fault in error.faults:
                note(
                    f"{'stdin' if file == _STDIN else file or from_node}:{fault.line}: {fault.message} [{fault.code}]"
                )
            show_error(str(error), error.code)
        raise typer.Exit(exit_of_error(error)) from None
    if as_json:
        show_json({"dry_run": dry_run, "counts": report.counts, "changes": report.changes})
        return
    if dry_run:
        for change in report.changes:
            verb = "add" if change.added else "change"
            say(
                f"line {change.line}: {verb} {change.kind} {change.key}"
                + "".join(f"; {field}" for field in change.fields)
            )
        if report.counts.changes > LISTED:
            say(f"… and {report.counts.changes - LISTED} more.")
    counts = report.counts
    say(
        f"{count_of(counts.desks, 'desk')}: extensions {counts.extensions_added} added, {counts.extensions_changed} changed; "
        f"phones {counts.phones_added} added, {counts.phones_changed} changed."
        + (" Nothing was written (--dry-run)." if dry_run else "")
    )


@contextmanager
def _desks(
    database: Database, file: Path | None, node: str | None, organization: str | None, *, leave_out: bool
) -> Iterator[BinaryIO]:
    """The file of desks, or one made of what the node has. Raises BadFile, ImportRefused, and what keeps a node from answering."""
    if file is not None:
        with keep(sys.stdin.buffer) if file == _STDIN else open_file(file) as desks:
            yield desks
        return
    assert node is not None  # one of both was given
    assert organization is not None
    found = read_desks(database, node, settings())
    faults = [Fault(0, "not_a_desk", desk.fault) for desk in found if desk.fault]
    if faults and not leave_out:
        raise ImportRefused(faults[:LISTED], more=len(faults) > LISTED)
    for fault in faults:
        note(f"left out: {fault.message}")
    yield file_of(found, organization, node)
