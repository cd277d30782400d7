"""Random secrets that are shown once and stored as a hash: session cookies and API tokens.

256 random bits need no slow hash: SHA-256 cannot be turned back, and nobody guesses them.
"""

from __future__ import annotations

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """43 characters of base64url after the prefix."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """What is stored, and looked for."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
