"""`roost org`: organizations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from roost.database import Database
from roost.directory import LIMIT, Directory, fields
from roost.directory.fields import parse_duration
from roost.directory.organization_steps import take_steps
from roost.wording import count_of
from workers.cli.listing import counted, show_json_list, show_list
from workers.cli.options import DailyReturn, Enabled, Limit, MaxStay, Name, Yes, changes, confirm
from workers.cli.output import AsJson, say, show_facts, show_json
from workers.cli.progress import progress
from workers.cli.session import open_database, open_directory

app = typer.Typer(no_args_is_help=True, help="Organizations (tenants).")

Code = Annotated[
    str,
    typer.Argument(metavar="ORGANIZATION", help=f"Its code, such as 0001: {fields.ORGANIZATION_CODE.words}."),
]
Policy = Annotated[
    str | None, typer.Option(help="When a wanted phone is taken: `refuse`, or `displace` who sits there.")
]
Timezone = Annotated[str | None, typer.Option(help="Where its day is, such as Europe/Bucharest.")]
LockAfter = Annotated[
    int | None,
    typer.Option(
        help=f"So many wrong codes one after the other lock an extension; {fields.LOCK_AFTER.words}."
    ),
]
PhoneLockAfter = Annotated[
    int | None,
    typer.Option(
        help=f"So many wrong codes one after the other lock the phone they are keyed on; {fields.PHONE_LOCK_AFTER.words}."
    ),
]
LockFor = Annotated[
    str | None, typer.Option(help="A lock lasts so long, such as 15m; each further one twice as long.")
]

WeakCodes = Annotated[
    bool | None, typer.Option(help="Let people set codes that everybody tries first, such as 1234.")
]


@app.command("add")
def add(
    code: Code, *, name: Name = None, policy: Policy = None, max_stay: MaxStay = None, daily_return: DailyReturn = None,
    timezone: Timezone = None, lock_after: LockAfter = None,
    phone_lock_after: PhoneLockAfter = None, lock_for: LockFor = None, weak_codes: WeakCodes = None,
) -> None:  # fmt: skip
    """Add an organization."""
    wanted = changes(
        name=name, policy=policy, max_stay=max_stay, daily_return=daily_return, timezone=timezone,
        lock_after=lock_after, phone_lock_after=phone_lock_after, lock_for=parse_duration(lock_for) if lock_for is not None else None,
        allows_weak_codes=weak_codes,
    )  # fmt: skip
    with open_directory() as directory:
        directory.add_organization(code, **wanted)
    say(f"Added organization {code}.")


@app.command("set")
def change(
    code: Code, *, name: Name = None, policy: Policy = None, max_stay: MaxStay = None, daily_return: DailyReturn = None,
    timezone: Timezone = None, lock_after: LockAfter = None,
    phone_lock_after: PhoneLockAfter = None, lock_for: LockFor = None, weak_codes: WeakCodes = None, enabled: Enabled = None,
) -> None:  # fmt: skip
    """Change an organization. When it is disabled, all its guests go home and its extensions ring nowhere."""
    wanted = changes(
        name=name, policy=policy, max_stay=max_stay, daily_return=daily_return, timezone=timezone,
        lock_after=lock_after, phone_lock_after=phone_lock_after, lock_for=parse_duration(lock_for) if lock_for is not None else None,
        allows_weak_codes=weak_codes,
        enabled=enabled, required=True,
    )  # fmt: skip
    with open_database() as database:
        Directory(database).change_organization(code, **wanted)
        _finish(database, code)
    say(f"Changed organization {code}.")


@app.command("rename")
def rename(
    code: Code, new: Annotated[str, typer.Argument(metavar="NEW", help="Its code from now on.")], *, yes: Yes = False
) -> None:  # fmt: skip
    """Give an organization another code. What is keyed stays the same; the journal keeps the old one."""
    with open_database() as database:
        directory = Directory(database)
        found = directory.organization(code)
        confirm(
            f"Rename organization {code} to {new}, with {count_of(found.extensions, 'extension')}?", yes=yes
        )
        directory.rename_organization(code, new)
        _finish(database, new)
    say(f"Renamed organization {code} to {new}.")


@app.command("list")
def list_all(
    *, after: Annotated[str | None, typer.Option(help="Go on after this organization.")] = None, limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List organizations."""
    with open_directory() as directory:
        found = counted(
            directory.each_organization(after=after, limit=limit), limit,
            lambda last: f"There may be more: use --after {last.code}, or --limit.",
        )  # fmt: skip
        if as_json:
            show_json_list(found)
            return
        show_list(
            ("code", "name", "enabled", "policy", "max stay", "daily return", "time zone", "ext.", "phones"),
            (
                (o.code, o.name, o.enabled, o.policy, o.max_stay, o.daily_return, o.timezone, o.extensions, o.phones)
                for o in found
            ),
            right=("ext.", "phones"),
            wraps=("name", "time zone"),
        )  # fmt: skip


@app.command("show")
def show(code: Code, *, as_json: AsJson = False) -> None:
    """Show an organization."""
    with open_directory() as directory:
        found = directory.organization(code)
    if as_json:
        show_json(found)
    else:
        show_facts({field.replace("_", " "): value for field, value in asdict(found).items()})


@app.command("remove")
def remove(
    code: Code, *, with_everything: Annotated[bool, typer.Option(help="With its extensions and phones.")] = False,
    yes: Yes = False,
) -> None:  # fmt: skip
    """Remove an organization, which must be empty unless --with-everything.

    A large one is removed in steps. If the command is stopped in the middle, the workers go on; there is no way back.
    """
    with open_database() as database:
        directory = Directory(database)
        found = directory.organization(code)
        losing = (
            f" with {count_of(found.extensions, 'extension')} and {count_of(found.phones, 'phone')}"
            if with_everything
            else ""
        )
        confirm(f"Remove organization {code}{losing}?", yes=yes)
        if with_everything:
            directory.begin_removal(code)
            _finish(database, code)
        else:
            directory.remove_organization(code)
    say(f"Removed organization {code}{losing}.")


def _finish(database: Database, code: str) -> None:
    """Take the steps that are left, and show how far they are."""
    with progress() as tell:
        for left in take_steps(database, code):
            tell(f"{'removing' if left.removing else 'changing'} {left.code}", left.done, left.total)
