"""Who asks over HTTP: the token in the Authorization header (RFC 6750)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from roost.directory.changes import By
from roost.directory.errors import UnknownPhone
from roost.directory.fields import ExtensionKey
from roost.directory.records import PhoneRecord
from roost.people.access import Action, Asker, demand, may
from roost.people.revocation import Credential
from roost.people.secret_tokens import hash_secret
from roost.people.tokens import BadToken
from workers.web.parts import Parts, parts_of

_bearer = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token made by `roost token add` or on the page."
)

TheParts = Annotated[Parts, Depends(parts_of)]


async def find_asker(
    parts: TheParts, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Asker:
    """Who shows the token. Raises BadToken."""
    if credentials is None:
        raise BadToken
    return await parts.known_tokens.find(credentials.credentials)


TheAsker = Annotated[Asker, Depends(find_asker)]


async def find_credential(
    asker: TheAsker, credentials: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]
) -> Credential:
    """The token and whom it made them, for streams that last only as long as it is good. Raises BadToken."""
    return Credential(hash_secret(credentials.credentials), asker)


TheCredential = Annotated[Credential, Depends(find_credential)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=80,
        pattern=r"^[\x21-\x7e]+$",
        description="The request's id: a repeat with the same key gets the first answer, and does nothing again.",
    ),
]


def demand_extension(asker: Asker, action: Action, key: str) -> ExtensionKey:
    """The extension, if the asker may do this to it. Raises BadExtensionKey, NotPermitted."""
    extension = ExtensionKey.parse(key)
    demand(asker, action, extension.organization, extension.number)
    return extension


def demand_phone(parts: Parts, asker: Asker, action: Action, name: str) -> PhoneRecord:
    """The phone, if the asker may do this to it; another organization's phone is simply unknown.

    Raises UnknownPhone, NotPermitted.
    """
    phone = parts.directory.phone(name)
    if not may(asker, Action.SEE_ORGANIZATION, phone.organization):
        raise UnknownPhone(f"({name})")
    demand(asker, action, phone.organization)
    return phone


def by(asker: Asker) -> By:
    """Name the asker for the journal."""
    return By(asker.origin, asker.name)


def scope_of(asker: Asker, action: Action, organization: str | None) -> str | None:
    """The organization a list is of: the one asked for, or all that the asker reaches. Raises NotPermitted."""
    wanted = organization or asker.organization
    demand(asker, action, wanted)
    return wanted
