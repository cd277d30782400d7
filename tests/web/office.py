"""Who is there in the tests of the page and the API, and how they knock."""

from __future__ import annotations

import re
import ssl
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import httpx

from roost.people.access import Right
from roost.people.person import People, Role
from roost.people.tokens import Tokens
from tests.cluster import Cluster
from tests.world import new_id

#: Seconds until an answer must have come.
DEADLINE = 20.0
#: The pages speak plain HTTP. A client would get ready for TLS all the same, and read whom the system trusts: 30 ms for each.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
#: Everybody's password, in this run.
_PASSWORD = new_id()
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class Browser:
    """A person's browser, without scripts: cookies, forms, redirects."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(verify=PLAIN, base_url=address, timeout=DEADLINE, follow_redirects=True)

    def sign_in(self, login: str, password: str, to: str = "/") -> httpx.Response:
        """Fill in the sign-in form."""
        self.csrf = self.proof("/sign-in")
        answer = self.http.post(
            "/sign-in", data={"csrf": self.csrf, "login": login, "password": password, "next": to}
        )
        if answer.status_code == 200:
            self.csrf = self.proof("/account")
        return answer

    def proof(self, path: str) -> str:
        """The proof in the forms of a page."""
        found = _CSRF.search(self.http.get(path).text)
        assert found, f"no form on {path}"
        return found[1]

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of ours."""
        return self.http.post(path, data={"csrf": self.csrf, "key": new_id(), **fields})

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self.http.get(path)


class Office:
    """Two organizations with four desks each (`desk001`, `desk0002-001`), and everybody's password."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.world = cluster.world
        self.address = cluster.product.pages[0]
        self.password = _PASSWORD
        self.people = People(cluster.database)
        self.tokens = Tokens(cluster.database)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.cluster.reset()
        self.world.sql("DELETE FROM person")
        self.world.sql("DELETE FROM sign_in_try")
        self.world.sql("DELETE FROM token")
        self.world.person("root", self.password, Role.OPERATOR)
        for code in ("0001", "0002"):
            self.world.organization(code, name=f"Office {code}")
            for place, number in enumerate(("001", "002", "003", "004")):
                self.world.desk(number, node=f"n{place % 3 + 1}", organization=code)
            self.world.person(f"admin{code}", self.password, Role.ADMINISTRATOR, organization=code)
            for number in ("001", "002"):
                self.world.person(
                    f"owner{code}-{number}", self.password, Role.OWNER, organization=code, number=number
                )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def browser(self, login: str | None = None) -> Browser:
        """A browser, signed in."""
        browser = Browser(self.address)
        self._stack.callback(browser.http.close)
        if login is not None:
            assert browser.sign_in(login, self.password).status_code == 200
        return browser

    def token(self, right: Right = Right.ADMINISTER, organization: str | None = None) -> str:
        """A fresh token."""
        return self.tokens.add("test", right, organization)[1]

    def api(self, right: Right = Right.ADMINISTER, organization: str | None = None) -> httpx.Client:
        """A program with a fresh token."""
        headers = {"Authorization": f"Bearer {self.token(right, organization)}"}
        client = httpx.Client(
            verify=PLAIN, base_url=f"{self.address}/api/v1", headers=headers, timeout=DEADLINE
        )
        self._stack.callback(client.close)
        return client


def items(answer: httpx.Response) -> list[Any]:
    """The items of a list."""
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found
