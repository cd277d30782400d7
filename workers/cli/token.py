"""`roost token`: what programs open the API with."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from roost.directory import LIMIT, Directory
from roost.directory.fields import parse_duration
from roost.people.access import Right
from roost.people.tokens import Tokens
from workers.cli.listing import counted, show_json_list, show_list
from workers.cli.options import Limit
from workers.cli.output import AsJson, say
from workers.cli.session import actor, open_database

app = typer.Typer(no_args_is_help=True, help="Tokens for the HTTP API.")


class Access(StrEnum):
    """What a token may do."""

    READ = "read"
    OPERATE = "operate"
    ADMINISTER = "administer"


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.")],
    access: Annotated[Access, typer.Option(help="What it may do.")] = Access.READ,
    organization: Annotated[
        str | None, typer.Option("--org", help="Its organization; else the whole cluster.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--for", help="It ends after so long, such as 90d.")] = None,
) -> None:
    """Make a token, and show it this one time."""
    lifetime = parse_duration(expires) if expires is not None else None
    with open_database() as database:
        _, secret = Tokens(database).add(
            name, Right.parse(access), organization, lifetime=lifetime, made_by=f"cli:{actor()}"
        )
    say(secret)


@app.command("list")
def list_tokens(
    organization: Annotated[str | None, typer.Option("--org", help="Only those of an organization.")] = None,
    *,
    after: Annotated[int, typer.Option(min=0, help="Go on after this number.")] = 0,
    limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:
    """List tokens; never what they are."""
    with open_database() as database:
        if organization is not None:
            Directory(database).organization_name(organization)  # one that is mistyped has no tokens either
        found = counted(
            Tokens(database).each(organization, after=after, limit=limit), limit,
            lambda last: f"There may be more: use --after {last.id}, or --limit.",
        )  # fmt: skip
        if as_json:
            show_json_list(found)
            return
        show_list(
            ("id", "name", "organization", "access", "made", "by", "ends", "last used"),
            (
                (t.id, t.name, t.organization or "all", t.access, t.created_at, t.created_by, t.expires_at, t.used_at)
                for t in found
            ),
        )  # fmt: skip


@app.command("remove")
def remove(token_id: Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.")]) -> None:
    """End a token; within a second nobody takes it any more."""
    with open_database() as database:
        Tokens(database).remove(token_id)
    say(f"removed token {token_id}")
