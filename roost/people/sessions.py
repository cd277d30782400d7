"""Signing in, and the sessions that come of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import NamedTuple

from psycopg.rows import class_row

from roost.database import Connection, Database, query
from roost.directory.fields import LOGIN
from roost.errors import RoostError
from roost.people.networks import network_of
from roost.people.person import Person, hash_password, password_matches
from roost.people.secret_tokens import hash_secret, new_secret
from roost.people.sign_in_limits import SignInLimits, TooManyTries, Visitor
from roost.settings import Settings
from roost.views.fingerprints import Fingerprints, Rows, with_fingerprints

#: A session's row begins with its person; then it says whether its last use is to be noted.
_PERSON = len(fields(Person))


class WrongPassword(RoostError):
    """The login or the password is wrong."""

    code = "wrong_password"


class NotSignedIn(RoostError):
    """You are not signed in, or your session has ended."""

    code = "not_signed_in"


@dataclass(frozen=True, slots=True)
class _Account:
    id: int
    password_hash: str


class SignedIn(NamedTuple):
    """What the browser is given: the secret of its session, and what it shows the next time to be known."""

    secret: str
    browser: str


class Sessions:
    """Opens, finds and ends sessions; tries are limited."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._limits = SignInLimits(settings)

    def sign_in(self, login: str, password: str, address: str, browser: str = "") -> SignedIn:
        """Open a new session. `browser`: what it was given when it signed in before. Raises WrongPassword, TooManyTries.

        Who has to wait is refused with the right password too. An unknown login costs as much as a wrong password.
        """
        login = login.lower()
        if not LOGIN.allows(login):
            login = ""  # nobody's; the try counts for the address
        visitor = Visitor(login, network_of(address), browser[:100])
        wait = self._database.transaction(lambda connection: self._limits.note(connection, visitor))
        if wait > 0:
            raise TooManyTries(wait)
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(_Account)) as cursor,
        ):
            account = cursor.execute(query("read_account"), {"login": login}).fetchone()
        if (
            not password_matches(account.password_hash if account else _nobodys_hash(), password)
            or account is None
        ):
            raise WrongPassword
        secret = new_secret()

        def work(connection: Connection) -> str:
            opened = connection.execute(
                query("open_session"),
                {
                    "token_hash": hash_secret(secret), "person_id": account.id, "address": address,
                    "lifetime": self._settings.session_lifetime, "password_hash": account.password_hash,
                },
            )  # fmt: skip
            if opened.fetchone() is None:
                raise WrongPassword
            self._limits.forgive(connection, visitor)
            connection.execute(query("forget_sessions"), {"idle": self._settings.session_idle})
            return self._limits.know(connection, visitor, account.id)

        return SignedIn(secret, self._database.transaction(work))

    def find(self, secret: str) -> Person:
        """Whose session this is. Raises NotSignedIn."""
        return self._find(secret, ())[0]

    def find_with_fingerprints(self, secret: str, shown: Sequence[Rows]) -> tuple[Person, Fingerprints]:
        """Whose session this is, and a fingerprint of each of these rows, in one statement. Raises NotSignedIn."""
        return self._find(secret, shown)

    def _find(self, secret: str, shown: Sequence[Rows]) -> tuple[Person, Fingerprints]:
        params = {"token_hash": hash_secret(secret), "idle": self._settings.session_idle}
        statement = (
            with_fingerprints("read_session", params, shown) if shown else (query("read_session"), params)
        )
        with self._database.connection() as connection:
            row = connection.execute(*statement).fetchone()
            if row is None:
                raise NotSignedIn
            person, stale, fingerprints = row[:_PERSON], row[_PERSON], row[_PERSON + 1 :]
            if stale:  # once a minute is often enough, and spares a write at each page
                connection.execute(query("touch_session"), params)
        return Person(*person), fingerprints

    def end(self, secret: str) -> None:
        """End this session."""
        with self._database.connection() as connection:
            connection.execute(query("end_session"), {"token_hash": hash_secret(secret)})

    def end_all(self, person_id: int) -> None:
        """End every session of a person."""
        with self._database.connection() as connection:
            connection.execute(query("end_sessions_of"), {"person_id": person_id})


@cache
def _nobodys_hash() -> str:
    """What an unknown login's password is compared with."""
    return hash_password(secrets.token_urlsafe(16))
