"""`roost journal`: what was asked and what it came to; and who was on a phone at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.text import Text

from roost.directory.fields import extension_key, parse_duration, parse_wall_clock
from roost.directory.rules import BadField
from roost.errors import Invalid
from roost.moves.outcomes import Outcome
from roost.views.journal import LIMIT, JournalEntry, each_entry, journal_entries
from roost.views.occupants import Occupant, who_was_on
from workers.cli.listing import counted, show_json_list, show_list
from workers.cli.options import Limit
from workers.cli.output import AsJson, cell, show_facts, show_json
from workers.cli.session import open_database

_A_TIME = "14:05 (the last one there was), 2026-03-01T14:05 (both in this machine's time zone), or 2h (so long ago)."


def journal(
    *,
    extension: Annotated[str | None, typer.Option(help="Only of this extension, 0001*001.")] = None,
    phone: Annotated[str | None, typer.Option(help="Only of this phone.")] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", "--org", help="Only of this one.")
    ] = None,
    outcome: Annotated[
        Outcome | None, typer.Option(metavar="OUTCOME", help="Only with this outcome, such as wrong_code.")
    ] = None,
    since: Annotated[str | None, typer.Option(help=f"From this time on: {_A_TIME}")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    at: Annotated[str | None, typer.Option(help="Say who was on --phone at this time.")] = None,
    limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:
    """Show what was asked and what it came to, the newest first; or with --at, who was on a phone then.

    Example: roost journal --phone desk002 --at 14:05
    """
    if at is not None and phone is None:
        raise Invalid("Name the --phone too.")
    with open_database() as database:
        if at is not None and phone is not None:
            _show_occupant(who_was_on(database, phone, parse_time(at)), as_json=as_json)
            return
        first_left_out = parse_time(until) if until is not None else None
        began = parse_time(since) if since is not None else None

        def read(until: datetime | None, before_id: str, limit: int) -> list[JournalEntry]:
            return journal_entries(
                database, extension=extension, organization=organization, phone=phone, outcome=outcome, since=began,
                until=until, before_id=before_id, limit=limit,
            )  # fmt: skip

        entries = counted(
            each_entry(read, first_left_out, limit), limit,
            lambda last: f"There may be more: use --until '{_just_after(last.at)}', or --limit.",
        )  # fmt: skip
        if as_json:
            show_json_list(entries)
        else:
            columns = ("time", "from", "what", "extension", "phone", "outcome")
            show_list(columns, (_row(entry) for entry in entries), wraps=("outcome",))


def parse_time(text: str) -> datetime:
    """Read a time as `journal` takes it. Raises BadField."""
    now = datetime.now().astimezone()
    try:
        if ":" in text and len(text) <= 5:
            today = datetime.combine(now.date(), parse_wall_clock(text)).astimezone()
            return today if today <= now else (today - timedelta(days=1))
        if text[-1:] in "dhms" and text[:1].isdigit():
            return now - parse_duration(text)
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise BadField(f"A time is {_A_TIME}") from None


def _just_after(at: datetime) -> str:
    """From here on nothing is missed: what was decided together has one time."""
    return (at + timedelta(microseconds=1)).astimezone().isoformat()


def _row(entry: JournalEntry) -> tuple[object, ...]:
    details = [entry.reason] if entry.reason else []
    if entry.asked_from and entry.asked_from != entry.phone:
        details.append(f"dialled on {entry.asked_from}")
    if entry.left_phone:
        details.append(f"left {entry.left_phone}")
    if entry.displaced:
        details.append(f"sent {extension_key(entry.organization, entry.displaced)} home")
    outcome = cell(entry.outcome)
    if details:
        outcome = Text.assemble(outcome, " (", cell(", ".join(details)), ")")
    origin = f"{entry.origin} {entry.actor}".strip()
    return (
        entry.at,
        origin,
        entry.operation,
        extension_key(entry.organization, entry.extension),
        entry.phone,
        outcome,
    )


def _show_occupant(was: Occupant, *, as_json: bool) -> None:
    if as_json:
        show_json(was)
        return
    facts: dict[str, object] = {"phone": was.phone, "at": was.at}
    if was.guest:
        facts |= {
            "who": was.guest,
            "since": was.since or "before the journal begins",
            "until": was.until or "now",
        }
    elif was.certain:
        facts["who"] = f"its own extension, {was.base} today" if was.base else "nobody"
        facts |= {"since": was.since or "no guest before that", "until": was.until or "now"}
    else:
        facts["who"] = "nobody as far as is known; the journal does not reach back so far"
    show_facts(facts)
