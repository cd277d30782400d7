"""`roost db`: the schema, and the roles of the processes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from roost.grants import ROLES
from roost.roles import commands, make_roles
from roost.schema import init_database, upgrade_database
from roost.settings import settings
from roost.version import VERSION
from workers.cli.output import note, say

app = typer.Typer(no_args_is_help=True, help="Set up the database, and bring it up to date.")


@app.command("init")
def init() -> None:
    """Set up an empty database; one that is not empty is refused."""
    init_database(settings().need("database_url"))
    say("The database is ready.")


@app.command("upgrade")
def upgrade() -> None:
    """Bring the database to the version of this program; an empty one is set up, a newer one is left as it is."""
    done = upgrade_database(settings().need("database_url"))
    if done.before is None:
        say("The database is ready.")
    elif done.before < VERSION:
        say(f"The database went from version {done.before} to {done.now}.")
    elif done.before == VERSION:
        say("The database is up to date.")
    else:
        say(
            f"The database has version {done.before} already; this program ({VERSION}) runs on it, and left it as it is."
        )


@app.command("roles")
def roles(
    *,
    passwords: Annotated[
        bool, typer.Option("--passwords", help="Give each role a new password, and print the URLs.")
    ] = False,
    show: Annotated[
        bool,
        typer.Option("--print", help="Only print what a superuser of PostgreSQL runs to make the roles."),
    ] = False,
) -> None:
    """Give each kind of process a PostgreSQL role with the rights it needs, and no more; run it again at any time.

    ROOST_DATABASE_URL must be that of the database's owner, as for `roost db upgrade`. A role that is there already keeps its password.
    With --passwords each gets a new one, and the lines for its processes are printed.

    Example: (umask 077; roost db roles --passwords > database-urls)
    """
    if show:
        for line in commands():
            say(line)
        say("-- Then, as the owner of the database: roost db roles")
        return
    made = make_roles(settings().need("database_url"), passwords=passwords)
    for kind, url in made.urls.items():
        say(f"# {kind}" if kind != "cli" else "# the command line")
        say(f"ROOST_DATABASE_URL={url}")
    if made.urls and sys.stdout.isatty():
        note(
            "warning: these passwords are on your screen now; better: (umask 077; roost db roles --passwords > database-urls)"
        )
    elif not made.urls:
        say(
            f"Made: {', '.join(made.new) or 'nothing, all were there'}. Each of {', '.join(ROLES.values())} has the rights it needs."
        )
        if made.new:
            note("A new role has no password yet: `\\password NAME` in psql, or roost db roles --passwords.")
