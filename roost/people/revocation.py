"""Revocation: which sessions and tokens with an open stream still give the same rights. Nobody keeps a stream for longer than their access."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from roost.database import Database, query
from roost.people.access import Asker, Right
from roost.people.person import RIGHTS, Role


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody showed (the hash of a session's secret or of a token), and whom it made them."""

    hashed: bytes
    asker: Asker


def still_good(
    database: Database, credentials: Collection[Credential], idle: float
) -> dict[Credential, bool]:
    """Those that are still good for the same, each with whether its organization is enabled. Raises DatabaseUnavailable.

    `idle`: seconds after which a session ends that nobody uses.
    """
    params = {"hashes": [each.hashed for each in credentials], "idle": idle}
    with database.connection() as connection:
        rows = connection.execute(query("list_valid_credentials"), params).fetchall()
    found = {
        (bytes(hashed), _right(role, access), organization, number): enabled
        for hashed, role, access, organization, number, enabled in rows
    }
    return {each: found[_as_it_began(each)] for each in credentials if _as_it_began(each) in found}


def _right(role: str | None, access: str | None) -> Right | None:
    """What a person's role or a token's access gives; None for one of a later release, which gives nobody here anything."""
    try:
        return RIGHTS[Role(role)] if role else Right.parse(access or "")
    except (KeyError, ValueError):
        return None


def _as_it_began(credential: Credential) -> tuple[bytes, Right, str | None, str | None]:
    asker = credential.asker
    return credential.hashed, asker.right, asker.organization, asker.number
