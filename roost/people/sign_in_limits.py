"""How often somebody may try to sign in: each try beyond what people need has to wait longer than the one before.

Whoever guesses at one account from one address slows down only themselves. All strangers together are limited as well, at each account
and from each address. A browser in which the person has signed in before is no stranger and has tries of its own, so nobody can be
shut out by others in the browser where they usually work. After OWASP, "Slow down online guessing attacks with device cookies", and NIST
SP 800-63B, 3.2.2 (at most 100 failed tries in a row at one account before it is limited).
"""

from __future__ import annotations

from typing import NamedTuple

from roost.database import Connection, query
from roost.errors import RoostError
from roost.people.secret_tokens import hash_secret, new_secret
from roost.settings import Settings

#: Seconds that the first try beyond the free ones waits; each further one waits twice as long, `sign_in_window` at most.
FIRST_WAIT = 15.0
#: Tries are forgotten after so many seconds, and by a right password.
MEMORY = 86_400.0
#: How many browsers of one person are known; the one that was used longest ago is forgotten first.
MOST_BROWSERS = 20


class TooManyTries(RoostError):
    """Too many tries to sign in; wait a while."""

    code = "too_many_tries"

    def __init__(self, wait: float) -> None:
        super().__init__()
        #: Seconds until a further try is heard.
        self.wait = wait


class Visitor(NamedTuple):
    """Who tries: at which account, from which network address; `browser` is what it shows to be known, or empty."""

    login: str
    address: str
    browser: str = ""


class _Tries(NamedTuple):
    """Tries that have not succeeded, and how many seconds ago the last of them was; of the browser's own, if it is known."""

    known: bool
    here: int
    here_ago: float
    account: int
    account_ago: float
    address: int
    address_ago: float


class SignInLimits:
    """Counts tries in the caller's transaction."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def note(self, connection: Connection, visitor: Visitor) -> float:
        """Count this try and return 0; or, when it comes too early, count nothing and return how many seconds it has to wait."""
        params = self._params(visitor)
        connection.execute(query("lock_sign_in_tries"), params)
        row = connection.execute(query("count_sign_in_tries"), params).fetchone()
        assert row is not None  # it always has one
        tries = _Tries(*row)
        wait = self._wait(tries)
        if wait <= 0:
            connection.execute(query("note_sign_in_try"), params | {"known": tries.known})
        return max(wait, 0)

    def forgive(self, connection: Connection, visitor: Visitor) -> None:
        """The password was right: forget this visitor's tries, and nobody else's."""
        connection.execute(query("forgive_sign_in_tries"), self._params(visitor))

    def know(self, connection: Connection, visitor: Visitor, person_id: int) -> str:
        """Remember the browser, and return the secret that it has to show next time.

        A browser that is not known yet gets a new secret: the one it showed may have been put there by somebody else.
        """
        params = {"browser": hash_secret(visitor.browser), "person_id": person_id, "most": MOST_BROWSERS}
        if connection.execute(query("touch_browser"), params).fetchone() is not None:
            return visitor.browser
        browser = new_secret()
        connection.execute(query("know_browser"), params | {"browser": hash_secret(browser)})
        return browser

    def _wait(self, tries: _Tries) -> float:
        settings = self._settings
        here = self._grows(tries.here, settings.sign_in_tries) - tries.here_ago
        if tries.known:
            return here
        return max(
            here,
            self._grows(tries.account, settings.sign_in_tries_by_account) - tries.account_ago,
            self._grows(tries.address, settings.sign_in_tries_by_address) - tries.address_ago,
        )

    def _grows(self, count: int, free: int) -> float:
        """Seconds between the last try and the next."""
        if count < free:
            return 0
        return float(min(FIRST_WAIT * 2 ** min(count - free, 20), self._settings.sign_in_window))

    @staticmethod
    def _params(visitor: Visitor) -> dict[str, object]:
        browser = hash_secret(visitor.browser) if visitor.browser else None
        return {"login": visitor.login, "address": visitor.address, "browser": browser, "memory": MEMORY}
