"""`roost db`: the schema."""

from __future__ import annotations

import typer

from roost.schema import check_schema, init_database, upgrade_database
from roost.settings import settings
from workers.cli.output import say

app = typer.Typer(no_args_is_help=True, help="Set up the database, and bring it up to date.")


@app.command("init")
def init() -> None:
    """Set up an empty database; one that is not empty is refused."""
    init_database(settings().need("database_url"))
    say("The database is ready.")


@app.command("upgrade")
def upgrade() -> None:
    """Bring the database to the version of this program."""
    url = settings().need("database_url")
    done = upgrade_database(url)
    check_schema(url)
    say(f"Upgraded to version {done[-1]}." if done else "The database is up to date.")
