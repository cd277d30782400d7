"""`roost keys`: fresh secrets for a new cluster, and for one that runs."""

from __future__ import annotations

import secrets
import sys

import typer

from roost.seal import new_keys
from roost.settings import settings
from workers.cli.output import note, say

app = typer.Typer(invoke_without_command=True)


def key_lines() -> list[str]:
    """A fresh key pair and pepper, as lines for `.env`."""
    public, private = new_keys()
    return [
        f"ROOST_SEAL_PUBLIC_KEY={public}",
        f"ROOST_SEAL_PRIVATE_KEY={private}",
        f"ROOST_CODE_PEPPER={secrets.token_urlsafe(32)}",
    ]


@app.callback()
def keys(context: typer.Context) -> None:
    """Print a fresh key pair and pepper as lines for `.env`.

    Keep them: without the private key no node can be logged in to, and without the pepper no secret code is right.

    Example: (umask 077; roost keys >> .env)
    """
    if context.invoked_subcommand is None:
        for line in key_lines():
            say(line)
        _warn_of_screen("roost keys >> .env")


@app.command()
def rotate() -> None:
    """Print a key pair and a pepper that replace those of the settings, and the steps; the old ones stay good meanwhile.

    Example: (umask 077; roost keys rotate > new-keys)
    """
    key_before, pepper_before = settings().need("seal_private_key"), settings().need("code_pepper")
    say(
        "# 1. On machines with verify and push workers: these five lines in place of their three. Restart these workers."
    )
    say(f"ROOST_SEAL_PRIVATE_KEY_BEFORE={key_before}")
    say(f"ROOST_CODE_PEPPER_BEFORE={pepper_before}")
    for line in key_lines():
        say(line)
    say("# 2. Everywhere else: the new ROOST_SEAL_PUBLIC_KEY. Restart centers and web processes.")
    say(
        "# 3. `roost node set NAME --secret` for each node. A code is kept over the new pepper when its owner keys it."
    )
    say("# 4. When everybody has: take the two _BEFORE lines away. Who has not by then needs a new code.")
    _warn_of_screen("roost keys rotate > new-keys")


def _warn_of_screen(better: str) -> None:
    if sys.stdout.isatty():
        note(f"warning: these secrets are on your screen now; better: (umask 077; {better})")
