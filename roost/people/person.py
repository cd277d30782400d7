"""The people who may sign in: operators, administrators of an organization, owners of an extension."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from unicodedata import normalize

from argon2.exceptions import InvalidHashError, VerificationError
from psycopg.rows import class_row

from roost.database import Connection, Database, query
from roost.directory.errors import UnknownExtension, UnknownOrganization, in_words
from roost.directory.fields import DISPLAY_NAME, LOGIN, ExtensionKey
from roost.directory.rules import BadField, TextRule
from roost.directory.store import find_organization, pages
from roost.errors import NotFound
from roost.moves.secret_codes import HASHER
from roost.people.access import Asker, Right
from roost.people.weak_passwords import demand_strong

#: Hashes computed at once in one process: a flood of sign-ins waits here, and its memory stays flat.
_HASHING = threading.BoundedSemaphore(4)
#: NIST SP 800-63B asks for at least 8 characters, and a bound keeps hashing cheap.
PASSWORD = TextRule("password", r"[^\x00]{10,200}", "10 to 200 characters long", 200, least=10, free=True)


class Role(StrEnum):
    """What a person is to Roost."""

    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    OWNER = "owner"


#: What each may do, within their reach.
RIGHTS = {Role.OPERATOR: Right.ADMINISTER, Role.ADMINISTRATOR: Right.ADMINISTER, Role.OWNER: Right.OPERATE}


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
            f"person:{self.id}", self.login, "web", RIGHTS[Role(self.role)], self.organization, self.number
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

        Raises BadField, WeakPassword, Duplicate, UnknownOrganization, UnknownExtension.
        """
        number = None
        if extension is not None:
            organization, number = ExtensionKey.parse(extension)
        wanted = (role is not Role.OPERATOR, role is Role.OWNER)
        if (organization is not None, number is not None) != wanted:
            raise BadField(
                "An administrator belongs to an organization, an owner to an extension, an operator to none."
            )
        demand_strong(PASSWORD.check(password), login, name, organization)
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
        params: dict[str, object] = {"organization": None, "login": None, "after": after, "limit": limit}
        if organization is not None:
            params["organization"] = find_organization(self._database, organization)
        return self._list(params)

    def each(self, organization: str | None = None, *, after: str = "", limit: int) -> Iterator[Person]:
        """Like `people`, for any number of them: they are read some at a time."""

        def read(after: str, limit: int) -> list[Person]:
            return self.people(organization, after=after, limit=limit)

        return pages(read, lambda person: person.login, after, limit)

    def person(self, login: str) -> Person:
        """One person. Raises UnknownPerson."""
        found = self._list({"organization": None, "login": login.lower(), "after": "", "limit": 1})
        if not found:
            raise UnknownPerson(f"({login})")
        return found[0]

    def set_password(self, login: str, password: str) -> None:
        """Give a new password; every session of the person ends. Raises BadField, WeakPassword, UnknownPerson."""
        PASSWORD.check(password)
        person = self.person(login)
        demand_strong(password, person.login, person.name, person.organization)
        self._write("set_password", {"login": person.login, "password_hash": hash_password(password)})

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
        """Write, and then end the sessions: also one that was being opened, for which the writing waited (open_session)."""

        def work(connection: Connection) -> None:
            row = connection.execute(query(statement), params).fetchone()
            if row is None:
                raise UnknownPerson(f"({params['login']})")
            connection.execute(query("end_sessions_of"), {"person_id": row[0]})

        self._database.transaction(work)


def check_login(login: str) -> str:
    """Give the login in small letters. Raises BadField."""
    return LOGIN.check(login.lower())


def hash_password(password: str) -> str:
    """The text that is stored. Raises BadField."""
    checked = PASSWORD.check(password)
    with _HASHING:
        return HASHER.hash(checked.encode())


def password_matches(password_hash: str, password: str) -> bool:
    """Whether this is the password. It takes as long for a wrong one.

    Releases before 0.2.0 hashed it as it was keyed, not in normalization form C (RFC 8265, 4.2).
    """
    if len(password) > PASSWORD.most:
        return False
    keyed = dict.fromkeys((normalize("NFC", password), password))
    return any(_matches(password_hash, each.encode("utf-8", "replace")) for each in keyed)


def _matches(password_hash: str, password: bytes) -> bool:
    try:
        with _HASHING:
            return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
