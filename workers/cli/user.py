"""`roost user`: who may sign in to the page. Operators know the command so; in code they are people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roost.directory import LIMIT, Directory
from roost.people.person import People, Role
from workers.cli.listing import counted, show_json_list, show_list
from workers.cli.options import Limit
from workers.cli.output import AsJson, say
from workers.cli.session import open_database, read_secret

app = typer.Typer(no_args_is_help=True, help="People who may sign in to the page.")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What the person signs in with.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="Read the password from a file; else from the terminal or a pipe."),
]
Organization = Annotated[str | None, typer.Option("--org", help="The organization of an administrator.")]


@app.command("add")
def add(
    login: Login,
    role: Annotated[Role, typer.Option(help="What the person is to Roost.")],
    organization: Organization = None,
    extension: Annotated[
        str | None, typer.Option(help="The extension of an owner, such as 0001*001.")
    ] = None,
    name: Annotated[str, typer.Option(help="What people call them.")] = "",
    password_file: PasswordFile = None,
) -> None:
    """Add a person. The first operator is made so, too."""
    password = read_secret("password", password_file)
    with open_database() as database:
        People(database).add(login, password, role, organization=organization, extension=extension, name=name)
    say(f"added {login.lower()}")


@app.command("list")
def list_people(
    *, organization: Organization = None,
    after: Annotated[str, typer.Option(help="Go on after this login.")] = "", limit: Limit = LIMIT, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List people."""
    with open_database() as database:
        if organization is not None:
            Directory(database).organization_name(organization)  # one that is mistyped has no people either
        found = counted(
            People(database).each(organization, after=after, limit=limit), limit,
            lambda last: f"There may be more: use --after {last.login}, or --limit.",
        )  # fmt: skip
        if as_json:
            show_json_list(found)
            return
        show_list(
            ("login", "name", "role", "organization", "extension", "may sign in"),
            ((p.login, p.name, p.role, p.organization, p.extension, p.enabled) for p in found),
        )


@app.command("password")
def password(login: Login, password_file: PasswordFile = None) -> None:
    """Give a person a new password; their sessions end."""
    new = read_secret("password", password_file)
    with open_database() as database:
        People(database).set_password(login, new)
    say(f"changed the password of {login.lower()}")


@app.command("remove")
def remove(login: Login) -> None:
    """Remove a person; their sessions end."""
    with open_database() as database:
        People(database).remove(login)
    say(f"removed {login.lower()}")
