"""The people who may sign in: operators, administrators of an organization, owners of an extension."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argon2.exceptions import InvalidHashError, VerificationError
from psycopg.rows import class_row

from roost.database import Database, query
from roost.directory.errors import UnknownExtension, UnknownOrganization, in_words
from roost.directory.fields import DISPLAY_NAME, BadField, ExtensionKey
from roost.errors import NotFound
from roost.moves.secret_codes import HASHER
from roost.people.access import Asker, Right

#: Hashes computed at once in one process: a flood of sign-ins waits here, and its memory stays flat.
_HASHING = threading.BoundedSemaphore(4)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
#: Characters a password may have; NIST SP 800-63B asks for at least 8, and a bound keeps hashing cheap.
PASSWORD_LENGTH = range(10, 201)


class Role(StrEnum):
    """What a person is to Roost."""

    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    OWNER = "owner"


_RIGHTS = {Role.OPERATOR: Right.ADMINISTER, Role.ADMINISTRATOR: Right.ADMINISTER, Role.OWNER: Right.OPERATE}


class UnknownPerson(NotFound):
    """There is no such person."""

    code = "unknown_person"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. `organization` None: an operator; `number`: the short number an owner owns."""

    id: int
    login: str
    name: str
    role: str
    organization: str | None
    number: str | None
    enabled: bool
    created_at: datetime

    @property
    def asker(self) -> Asker:
        """What they may do."""
        return Asker(
            f"person:{self.id}", self.login, "web", _RIGHTS[Role(self.role)], self.organization, self.number
        )

    @property
    def extension(self) -> str | None:
        """The extension an owner owns, `0001*001`."""
        return f"{self.organization}*{self.number}" if self.number else None


class People:
    """The people of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, login: str, password: str, role: Role, *, organization: str | None = None, extension: str | None = None,
        name: str = "",
    ) -> None:  # fmt: skip
        """Add an operator, the administrator of `organization`, or the owner of `extension` (`0001*001`).

        Raises BadField, Duplicate, UnknownOrganization, UnknownExtension.
        """
        number = None
        if extension is not None:
            organization, number = ExtensionKey.parse(extension)
        wanted = (role is not Role.OPERATOR, role is Role.OWNER)
        if (organization is not None, number is not None) != wanted:
            raise BadField(
                "An administrator belongs to an organization, an owner to an extension, an operator to none."
            )
        params = {
            "login": check_login(login), "name": DISPLAY_NAME.check(name), "role": role.value, "organization": organization,
            "number": number, "password_hash": hash_password(password),
        }  # fmt: skip
        with in_words(f"person {login}"), self._database.connection() as connection:
            row = connection.execute(query("add_person"), params).fetchone()
        if row is None:
            raise UnknownExtension(f"({extension})") if number else UnknownOrganization(f"({organization})")

    def people(self, organization: str | None = None, *, after: str = "", limit: int = 1000) -> list[Person]:
        """List the people of one organization, or all, in order of login."""
        return self._list({"organization": organization, "login": None, "after": after, "limit": limit})

    def person(self, login: str) -> Person:
        """One person. Raises UnknownPerson."""
        found = self._list({"organization": None, "login": login.lower(), "after": "", "limit": 1})
        if not found:
            raise UnknownPerson(f"({login})")
        return found[0]

    def set_password(self, login: str, password: str) -> None:
        """Give a new password; every session of the person ends. Raises BadField, UnknownPerson."""
        self._write("set_password", {"login": login.lower(), "password_hash": hash_password(password)})

    def set_enabled(self, login: str, *, enabled: bool) -> None:
        """Let the person sign in, or no more; their sessions end. Raises UnknownPerson."""
        self._write("enable_person", {"login": login.lower(), "enabled": enabled})

    def remove(self, login: str) -> None:
        """Remove the person and their sessions. Raises UnknownPerson."""
        self._write("remove_person", {"login": login.lower()})

    def _list(self, params: dict[str, object]) -> list[Person]:
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(Person)) as cursor,
        ):
            return cursor.execute(query("list_people"), params).fetchall()

    def _write(self, statement: str, params: dict[str, object]) -> None:
        with self._database.connection() as connection:
            if connection.execute(query(statement), params).fetchone() is None:
                raise UnknownPerson(f"({params['login']})")


def check_login(login: str) -> str:
    """Give the login in small letters. Raises BadField."""
    if _LOGIN.fullmatch(login.lower()) is None:
        raise BadField(
            "A login has 1 to 64 letters, digits, dots, dashes, underscores and @, the first a letter or digit."
        )
    return login.lower()


def hash_password(password: str) -> str:
    """The text that is stored. Raises BadField."""
    if len(password) not in PASSWORD_LENGTH:
        raise BadField(f"A password has {PASSWORD_LENGTH.start} to {PASSWORD_LENGTH.stop - 1} characters.")
    with _HASHING:
        return HASHER.hash(password.encode("utf-8", "surrogatepass"))


def password_matches(password_hash: str, password: str) -> bool:
    """Whether this is the password. It takes as long for a wrong one."""
    if len(password) >= PASSWORD_LENGTH.stop:
        return False
    try:
        with _HASHING:
            return HASHER.verify(password_hash, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
