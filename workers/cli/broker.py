"""`roost broker`: the users of RabbitMQ that Roost's processes log in as."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from tasks.permissions import PERMISSIONS, USERS
from workers.cli.output import say

app = typer.Typer(no_args_is_help=True, help="RabbitMQ users, one for each kind of process.")


@app.callback()
def broker() -> None:
    """Say what the commands are about."""


@app.command()
def setup(
    vhost: Annotated[str, typer.Option(help="The virtual host that ROOST_BROKER_URL names.")] = "roost",
) -> None:
    """Print the commands that give each kind of process a RabbitMQ user with the rights it needs, and no more.

    Run them on a RabbitMQ node, then name the user in ROOST_BROKER_URL of its processes and restart these, in any order.
    They may be run again, after an upgrade say: `add_user` then answers that the user is there, and harms nothing.
    """
    say(
        "# `add_user` asks for a password: another one for each user, of letters and digits, so that it fits into a URL."
    )
    for user, may in PERMISSIONS.items():
        say(f"# {user}: ROOST_BROKER_URL of {', '.join(kind for kind, its in USERS.items() if its == user)}")
        say(f"rabbitmqctl add_user {user}")
        say(shlex.join(["rabbitmqctl", "set_permissions", "-p", vhost, user, *may]))
    say("# When each process has its own: rabbitmqctl delete_user NAME, for the user they shared.")
