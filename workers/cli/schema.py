"""`roost db`: the schema."""

from __future__ import annotations

import typer

from roost.schema import init_database, upgrade_database
from roost.settings import settings
from roost.version import VERSION
from workers.cli.output import say

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
