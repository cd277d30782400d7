"""`roost keys`: fresh secrets for a new cluster."""

from __future__ import annotations

import secrets
import sys

from roost.seal import new_keys
from workers.cli.output import note, say


def keys() -> None:
    """Print a fresh key pair and pepper as lines for `.env`.

    Keep them: without the private key no node can be logged in to, and without the pepper no secret code is right.

    Example: (umask 077; roost keys >> .env)
    """
    public, private = new_keys()
    say(f"ROOST_SEAL_PUBLIC_KEY={public}")
    say(f"ROOST_SEAL_PRIVATE_KEY={private}")
    say(f"ROOST_CODE_PEPPER={secrets.token_urlsafe(32)}")
    if sys.stdout.isatty():
        note("warning: these secrets are on your screen now; better: (umask 077; roost keys >> .env)")
