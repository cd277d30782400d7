"""API tokens: made with a scope, shown once, hashed at rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from roost.database import Database, query
from roost.directory.errors import UnknownOrganization, in_words
from roost.directory.fields import TOKEN_NAME
from roost.directory.store import find_organization, pages
from roost.errors import NotFound, RoostError
from roost.people.access import Asker, Right
from roost.people.secret_tokens import hash_secret, new_secret

PREFIX = "roost_"
#: The longest token that is looked at.
_MAX_LENGTH = 200


class BadToken(RoostError):
    """The token is missing, unknown or expired."""

    code = "bad_token"


class UnknownToken(NotFound):
    """There is no such token."""

    code = "unknown_token"


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as it is listed. `organization` None: the cluster."""

    id: int
    name: str
    organization: str | None
    access: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    used_at: datetime | None


class Tokens:
    """What the API is opened with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        right: Right,
        organization: str | None,
        *,
        lifetime: timedelta | None = None,
        made_by: str = "",
    ) -> tuple[int, str]:
        """Make a token; its id and, this one time, the token itself. Raises BadField, UnknownOrganization."""
        secret = new_secret(PREFIX)
        params = {
            "name": TOKEN_NAME.check(name), "token_hash": hash_secret(secret), "organization": organization, "lifetime": lifetime,
            "access": right.name.lower(), "made_by": made_by,
        }  # fmt: skip
        with in_words("the token"), self._database.connection() as connection:
            row = connection.execute(query("add_token"), params).fetchone()
        if row is None:
            raise UnknownOrganization(f"({organization})")
        return int(row[0]), secret

    def find(self, secret: str) -> Asker:
        """Who shows this token. Raises BadToken."""
        if not secret.startswith(PREFIX) or len(secret) > _MAX_LENGTH:
            raise BadToken
        with self._database.connection() as connection:
            row = connection.execute(query("read_token"), {"token_hash": hash_secret(secret)}).fetchone()
            if row is None:
                raise BadToken
            token_id, name, organization, access, stale = row
            if stale:
                connection.execute(query("touch_token"), {"id": token_id})
        return Asker(f"token:{token_id}", name, "api", Right.parse(access), organization)

    def tokens(
        self, organization: str | None = None, *, after: int = 0, limit: int = 100
    ) -> list[TokenRecord]:
        """List the tokens of one organization, or all, in order of id."""
        owner = None if organization is None else find_organization(self._database, organization)
        params = {"organization": owner, "id": None, "after": after, "limit": limit}
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(TokenRecord)) as cursor,
        ):
            return cursor.execute(query("list_tokens"), params).fetchall()

    def each(self, organization: str | None = None, *, after: int = 0, limit: int) -> Iterator[TokenRecord]:
        """Like `tokens`, for any number of them: they are read some at a time."""

        def read(after: int, limit: int) -> list[TokenRecord]:
            return self.tokens(organization, after=after, limit=limit)

        return pages(read, lambda token: token.id, after, limit)

    def token(self, token_id: int) -> TokenRecord:
        """One token. Raises UnknownToken."""
        params = {"organization": None, "id": token_id, "after": 0, "limit": 1}
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(TokenRecord)) as cursor,
        ):
            record = cursor.execute(query("list_tokens"), params).fetchone()
        if record is None:
            raise UnknownToken
        return record

    def remove(self, token_id: int) -> None:
        """End a token, at once. Raises UnknownToken."""
        with self._database.connection() as connection:
            if connection.execute(query("remove_token"), {"id": token_id}).rowcount == 0:
                raise UnknownToken
