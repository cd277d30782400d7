"""`roost keys`: fresh secrets for a new cluster."""

from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from roost.seal import new_keys
from roost.settings import settings
from workers.cli.output import note, say


def key_lines() -> list[str]:
    """A fresh key pair and pepper, as lines for `.env`."""
    public, private = new_keys()
    return [
        f"ROOST_SEAL_PUBLIC_KEY={public}",
        f"ROOST_SEAL_PRIVATE_KEY={private}",
        f"ROOST_CODE_PEPPER={secrets.token_urlsafe(32)}",
    ]


def keys(
    *,
    again: Annotated[
        bool,
        typer.Option("--again", help="Replace those of the settings; they stay good while they are changed."),
    ] = False,
) -> None:
    """Print a fresh key pair and pepper as lines for `.env`.

    Keep them: without the private key no node can be logged in to, and without the pepper no secret code is right.

    Example: (umask 077; roost keys >> .env)
    """
    if again:
        key_before, pepper_before = settings().need("seal_private_key"), settings().need("code_pepper")
        say(
            "# 1. On machines with verify and push workers: these five lines in place of their three. Restart these workers."
        )
        say(f"ROOST_SEAL_PRIVATE_KEY_BEFORE={key_before}")
        say(f"ROOST_CODE_PEPPER_BEFORE={pepper_before}")
    for line in key_lines():
        say(line)
    if again:
        say("# 2. Everywhere else: the new ROOST_SEAL_PUBLIC_KEY. Restart centers and web processes.")
        say(
            "# 3. `roost node set NAME --secret` for each node. A code is kept over the new pepper when its owner keys it."
        )
        say("# 4. When everybody has: take the two _BEFORE lines away. Who has not by then needs a new code.")
    if sys.stdout.isatty():
        note("warning: these secrets are on your screen now; better: (umask 077; roost keys >> .env)")
