"""Signing in, and the sessions that come of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

from psycopg.rows import class_row

from roost.database import Connection, Database, query
from roost.directory.fields import LOGIN
from roost.errors import RoostError
from roost.people.person import Person, hash_password, password_matches
from roost.people.secret_tokens import hash_secret, new_secret
from roost.settings import Settings
from roost.views.fingerprints import Fingerprints, Rows, with_fingerprints

#: A session's row begins with its person; then it says whether its last use is to be noted.
_PERSON = len(fields(Person))


class WrongPassword(RoostError):
    """The login or the password is wrong."""

    code = "wrong_password"


class TooManyTries(RoostError):
    """Too many tries to sign in; wait a while."""

    code = "too_many_tries"

    def __init__(self, wait: float) -> None:
        super().__init__()
        #: Seconds until a further try is heard.
        self.wait = wait


class NotSignedIn(RoostError):
    """You are not signed in, or your session has ended."""

    code = "not_signed_in"


@dataclass(frozen=True, slots=True)
class _Account:
    id: int
    password_hash: str


class Sessions:
    """Opens, finds and ends sessions; limits the tries by account and by address."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def sign_in(self, login: str, password: str, address: str) -> str:
        """Open a new session; its secret, for the cookie. Raises WrongPassword, TooManyTries.

        A limited account refuses the right password too. An unknown login costs as much as a wrong password.
        """
        login = login.lower()
        if not LOGIN.allows(login):
            login = ""  # nobody's; the try counts for the address
        self._note_try(login, address)
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

        def work(connection: Connection) -> None:
            connection.execute(query("forgive_sign_in_tries"), {"login": login})
            connection.execute(query("forget_sessions"), {"idle": self._settings.session_idle})
            connection.execute(
                query("open_session"),
                {
                    "token_hash": hash_secret(secret), "person_id": account.id, "address": address,
                    "lifetime": self._settings.session_lifetime,
                },
            )  # fmt: skip

        self._database.transaction(work)
        return secret

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

    def _note_try(self, login: str, address: str) -> None:
        """Count this try, unless there were too many. Raises TooManyTries."""
        settings = self._settings
        params = {"login": login, "address": address, "window": settings.sign_in_window}

        def work(connection: Connection) -> float | None:
            connection.execute(query("lock_sign_in_tries"), params)
            row = connection.execute(query("count_sign_in_tries"), params).fetchone()
            assert row is not None  # it always has one
            by_login, by_address, wait = row
            if by_login >= settings.sign_in_tries or by_address >= settings.sign_in_tries_by_address:
                return float(wait)
            connection.execute(query("note_sign_in_try"), params)
            return None

        wait = self._database.transaction(work)
        if wait is not None:
            raise TooManyTries(wait)


@cache
def _nobodys_hash() -> str:
    """What an unknown login's password is compared with."""
    return hash_password(secrets.token_urlsafe(16))
