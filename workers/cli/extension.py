"""`roost extension`: extensions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from roost.directory import LIMIT, fields
from workers.cli.listing import counted, show_json_list, show_list
from workers.cli.options import DailyReturn, Enabled, Key, Limit, MaxStay, Name, Search, Yes, changes, confirm
from workers.cli.output import AsJson, json_fields, plain, say, show_facts, show_json
from workers.cli.session import open_directory

app = typer.Typer(no_args_is_help=True, help="Extensions (people).")

Allow = Annotated[
    bool | None,
    typer.Option("--allow/--disallow", help="Whether others may sit on its phone (virtualization)."),
]
AccountCode = Annotated[
    str | None,
    typer.Option(
        help=f"In the call records of its calls; {fields.ACCOUNT_CODE.words}. 0001-001 without one."
    ),
]
Mailbox = Annotated[
    str | None, typer.Option(help=f"Its voicemail box; {fields.MAILBOX.words}. Its number without one.")
]
Organization = Annotated[
    str | None, typer.Option("--organization", "--org", help="Only of this organization.")
]


@app.command("add")
def add(
    key: Key, *, name: Name = None, allow: Allow = None, account_code: AccountCode = None, mailbox: Mailbox = None,
    max_stay: MaxStay = None, daily_return: DailyReturn = None,
) -> None:  # fmt: skip
    """Add an extension. Others may not sit on its phone unless --allow."""
    wanted = changes(
        name=name, allows_virtualization=allow, account_code=account_code, mailbox=mailbox, max_stay=max_stay,
        daily_return=daily_return,
    )  # fmt: skip
    with open_directory() as directory:
        directory.add_extension(key, **wanted)
    say(f"Added extension {key}.")


@app.command("set")
def change(
    key: Key, *, name: Name = None, allow: Allow = None, account_code: AccountCode = None, mailbox: Mailbox = None,
    max_stay: MaxStay = None, daily_return: DailyReturn = None, enabled: Enabled = None,
) -> None:  # fmt: skip
    """Change an extension. Guests leave its phone when it is disallowed or disabled."""
    wanted = changes(
        name=name, allows_virtualization=allow, account_code=account_code, mailbox=mailbox, max_stay=max_stay,
        daily_return=daily_return, enabled=enabled, required=True,
    )  # fmt: skip
    with open_directory() as directory:
        directory.change_extension(key, **wanted)
    say(f"Changed extension {key}.")


@app.command("list")
def list_all(
    *, organization: Organization = None, search: Search = None,
    after: Annotated[str | None, typer.Option(help="Go on after this extension.")] = None,
    limit: Limit = LIMIT, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List extensions."""
    with open_directory() as directory:
        if organization is not None:
            directory.organization_name(organization)  # one that is mistyped has no extensions either
        found = counted(
            directory.each_extension(organization=organization, search=search, after=after, limit=limit), limit,
            lambda last: f"There may be more: use --after '{last.key}', or --limit.",
        )  # fmt: skip
        if as_json:
            show_json_list({"extension": e.key, **json_fields(e)} for e in found)
            return
        show_list(
            ("extension", "name", "enabled", "allows guests", "code", "phone", "guest on"),
            (
                (e.key, e.name, e.enabled, e.allows_virtualization, "locked" if e.locked_until else e.has_code, e.phone, e.host)
                for e in found
            ),
            wraps=("name", "phone", "guest on"),
        )  # fmt: skip


@app.command("show")
def show(key: Key, *, as_json: AsJson = False) -> None:
    """Show an extension."""
    with open_directory() as directory:
        found = directory.extension(key)
    if as_json:
        show_json({"extension": found.key, **plain(found)})
    else:
        show_facts({field.replace("_", " "): value for field, value in asdict(found).items()})


@app.command("remove")
def remove(key: Key, *, yes: Yes = False) -> None:
    """Remove an extension. Its phone stays, without a base extension."""
    with open_directory() as directory:
        found = directory.extension(key)
        phone = f"; its phone {found.phone} has no extension then" if found.phone else ""
        confirm(f"Remove extension {key} ({found.name}){phone}?", yes=yes)
        directory.remove_extension(key)
    say(f"Removed extension {key}.")
