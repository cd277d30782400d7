"""A cluster in words: what tests are given, what they do, and what they look at."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher

from roost.database import Database, query
from roost.moves.binding import Binding
from roost.moves.bound_ids import try_id
from roost.moves.requests import Answer, Dial, Return, Try, Virtualize
from roost.moves.secret_codes import hash_code
from roost.moves.verifying import Verifying
from roost.pbx.kinds import default_kind
from roost.people.person import Role
from roost.seal import seal
from roost.settings import Settings


class World:
    """Organization 0001 unless another is named; phones are named after their base extension: `desk001`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.binding = Binding(database, settings)
        self.verifying = Verifying(database, settings)
        self.codes: dict[tuple[str, str], str] = {}

    # --- given ---

    def organization(self, code: str = "0001", **columns: object) -> None:
        """An organization that has had its code for ever: tests date entries of the journal back."""
        self._insert("organization", {"code": code, "code_since": "-infinity"} | columns)

    def node(
        self, name: str = "n1", *, host: str = "127.0.0.1", port: int = 5038, secret: str = "", kind: str = ""
    ) -> None:
        """A PBX node; nothing listens there unless a test starts it. An empty secret is sealed too."""
        sealed = seal(self.settings.need("seal_public_key"), "node", secret).encode()
        self._insert(
            "pbx_node",
            {
                "name": name,
                "kind": kind or default_kind(),
                "host": host,
                "port": port,
                "username": "",
                "secret": sealed,
            },
        )

    def desk(
        self, number: str, *, node: str = "n1", organization: str = "0001", allows: bool = True,
        code: bool = True, phone: bool = True, **columns: object,
    ) -> str:  # fmt: skip
        """An extension with a code and a phone that allows virtualization; its phone's name."""
        row: dict[str, object] = {
            "number": number,
            "name": f"Person {number}",
            "allows_virtualization": allows,
        } | columns
        if code:
            digits, code_hash = _code(self.settings.need("code_pepper"), organization, number)
            self.codes[organization, number] = digits
            row |= {"code_hash": code_hash, "code_set_at": datetime.now().astimezone()}
        name = f"desk{number}" if organization == "0001" else f"desk{organization}-{number}"
        named, places = ", ".join(row), ", ".join(["%s"] * len(row))
        with self.database.connection() as connection:
            (extension,) = connection.execute(
                f"INSERT INTO extension (organization_id, {named})"
                f" VALUES ((SELECT id FROM organization WHERE code = %s), {places}) RETURNING id",
                (organization, *row.values()),
            ).fetchone() or (None,)
            if phone:
                connection.execute(_PHONE, {"base": extension, "name": name, "node": node})
        return name

    def person(
        self, login: str, password: str, role: Role, *, organization: str | None = None, number: str | None = None,
        name: str = "",
    ) -> None:  # fmt: skip
        """Somebody who may sign in, as `People.add` adds them, with a hash that is cheap to try."""
        values = {
            "login": login, "name": name, "role": role.value, "organization": organization, "number": number,
            "password_hash": _password_hash(password),
        }  # fmt: skip
        with self.database.connection() as connection:
            assert connection.execute(query("add_person"), values).fetchone()

    def office(self, *numbers: str) -> None:
        """One organization, one node, and desks."""
        self.organization()
        self.node()
        for number in numbers:
            self.desk(number)

    def wrong_code(self, number: str = "001") -> str:
        """Four digits that are not the secret code of an extension of organization 0001."""
        return "0000" if self.codes["0001", number] != "0000" else "1111"

    # --- when ---

    def now(self) -> datetime:
        """The database's time."""
        value = self.value("SELECT clock_timestamp()")
        assert isinstance(value, datetime)
        return value

    def dial(
        self, phone: str, number: str = "", *, call: str = "", request_id: str = "", age: float = 0
    ) -> Answer:
        """`*30<number>` is dialled on the phone."""
        return self.binding.dial(
            Dial(
                request_id=request_id or new_id(), call=call or new_id(), phone=phone, number=number,
                made_at=self.now() - timedelta(seconds=age),
            )
        )  # fmt: skip

    def key(
        self, phone: str, number: str, digits: str, *, call: str = "", request_id: str = "", age: float = 0
    ) -> Answer:
        """A code is keyed in a call to `*30<number>`; a right one is bound at once."""
        tried = self.attempt(phone, number, digits, call=call, request_id=request_id, age=age)
        answer = self.verifying.verify(tried)
        if answer.outcome != "code_right":
            return answer
        return self.binding.virtualize(Virtualize(**tried.model_dump(exclude={"sealed_code"})))

    def attempt(
        self, phone: str, number: str, digits: str, *, call: str = "", request_id: str = "", age: float = 0
    ) -> Try:
        """A try, as a center sends it."""
        call = call or new_id()
        request_id = request_id or try_id(call, phone, number)
        return Try(
            request_id=request_id, call=call, phone=phone, number=number,
            made_at=self.now() - timedelta(seconds=age),
            sealed_code=seal(self.settings.need("seal_public_key"), request_id, digits),
        )  # fmt: skip

    def sit(self, number: str, phone: str, *, organization: str = "0001") -> Answer:
        """The person dials, and keys the right code."""
        return self.key(phone, number, self.codes[organization, number])

    def move(self, number: str, phone: str, *, organization: str | None = "0001", **more: object) -> Answer:
        """An administrator puts the extension on the phone."""
        fields = {
            "request_id": new_id(),
            "origin": "cli",
            "made_at": self.now(),
            "organization": organization,
        }
        return self.binding.virtualize(Virtualize(phone=phone, number=number, **fields | more))  # type: ignore[arg-type]  # by name

    def bring_home(self, number: str, *, organization: str = "0001", request_id: str = "") -> Answer:
        """An administrator brings the extension home."""
        return self.binding.return_home(
            Return(
                request_id=request_id or new_id(), origin="cli", made_at=self.now(), organization=organization,
                number=number,
            )
        )  # fmt: skip

    def zone_is_known_no_more(self, organization: str = "0001") -> None:
        """What a newer tzdata does to an organization that named its zone long ago."""
        with self.database.connection() as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")  # no trigger
            connection.execute(
                "UPDATE organization SET timezone = 'US/Gone' WHERE code = %s", (organization,)
            )

    def sql(self, statement: str, *parameters: object) -> None:
        """What a person with psql does."""
        with self.database.connection() as connection:
            connection.execute(statement, parameters)

    # --- then ---

    def rings(self, number: str, organization: str = "0001") -> str | None:
        """The phone at which the extension rings."""
        return self.value("SELECT phone FROM rings WHERE key = %s", f"e/{organization}*{number}")  # type: ignore[return-value]  # text

    def acts_as(self, phone: str) -> str | None:
        """The number the phone speaks as."""
        return self.value("SELECT number FROM acts_as WHERE phone = %s", phone)  # type: ignore[return-value]  # text

    def guests(self) -> dict[str, str]:
        """Who is a guest where: {phone: number}."""
        with self.database.connection() as connection:
            rows = connection.execute(
                "SELECT p.name, e.number FROM phone p JOIN extension e ON e.id = p.guest_id ORDER BY 1"
            )
            return dict(rows.fetchall())

    def journal(self) -> list[tuple[str, str, str | None, str | None, str]]:
        """(operation, outcome, extension, phone, reason) of every request, in order."""
        with self.database.connection() as connection:
            return connection.execute(
                "SELECT operation, outcome, extension, phone, reason FROM journal ORDER BY at"
            ).fetchall()

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows a statement gives."""
        with self.database.connection() as connection:
            return connection.execute(statement, parameters).fetchall()

    def value(self, statement: str, *parameters: object) -> object:
        """The one value a statement gives; None without a row."""
        with self.database.connection() as connection:
            row = connection.execute(statement, parameters).fetchone()
        return row[0] if row else None

    def _insert(self, table: str, row: dict[str, object]) -> None:
        columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
        self.sql(f"INSERT INTO {table} ({columns}) VALUES ({places})", *row.values())


_PHONE = """
INSERT INTO phone (organization_id, name, node_id, base_id)
SELECT organization_id, %(name)s, (SELECT id FROM pbx_node WHERE name = %(node)s), id FROM extension WHERE id = %(base)s
"""

#: Argon2id at its least. Which effort is the product's shows where codes and passwords are set, not where they are tried: it stands
#: in the hash.
_LEAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def cheap_hash(pepper: str, digits: str) -> str:
    """The hash of a code that is tried without the effort that is there to slow down who stole the table."""
    return hash_code(pepper, digits, _LEAST)


@cache
def _password_hash(password: str) -> str:
    return _LEAST.hash(password)


@cache
def _code(pepper: str, organization: str, number: str) -> tuple[str, str]:
    """A code of this extension's own and its hash, the same for a whole run."""
    digits = f"{secrets.randbelow(10**8):08}"
    return digits, cheap_hash(pepper, digits)


def new_id() -> str:
    """A fresh request or call id."""
    return secrets.token_hex(8)
