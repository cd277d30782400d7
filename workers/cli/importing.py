"""`roost import`: desks from a spreadsheet's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roost.directory.import_file import open_file
from roost.directory.importing import LISTED, ImportRefused, import_desks
from workers.cli.exits import exit_of_error
from workers.cli.output import AsJson, note, say, show_error, show_json
from workers.cli.progress import progress
from workers.cli.session import open_database


def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="One row a desk; the first line names the columns.")
    ],
    *,
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
    try:
        with open_database() as database, open_file(file) as desks, progress() as tell:
            report = import_desks(database, desks, encoding=encoding, dry_run=dry_run, tell=tell)
    except ImportRefused as error:
        if as_json:
            show_error(str(error), error.code, faults=error.faults)
        else:
            for fault in error.faults:
                note(f"{file}:{fault.line}: {fault.message} [{fault.code}]")
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
        f"{counts.desks} desks: extensions {counts.extensions_added} added, {counts.extensions_changed} changed; "
        f"phones {counts.phones_added} added, {counts.phones_changed} changed."
        + (" Nothing was written (--dry-run)." if dry_run else "")
    )
