"""One organization twice, in PostgreSQL and in the pure model: how it begins, what is compared, and the words of the rules."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from chaos.model import Extension, Office, Phone, Result
from roost.moves.requests import Answer, Try, Virtualize
from roost.seal import seal
from tests.core.replay import ROWS, Row, replay
from tests.world import World, new_id

NUMBERS = ("1", "2", "3", "4", "5")
#: One more extension than phones, and one more phone than extensions: a person without a desk, a desk without one.
WITHOUT_DESK = "5"
SPARE = "spare"
RIGHT, WRONG = "4711", "0000"


#: One statement for all, since each step asks it.
_COUNTS = " UNION ALL ".join(
    f"SELECT '{table}', x.{name}, x.failed_codes, x.locks, extract(epoch FROM x.locked_until)::float8 FROM {table} x "
    "JOIN organization o ON o.id = x.organization_id WHERE o.code = %s"
    for table, name in (("extension", "number"), ("phone", "name"))
)


class Compared(RuleBasedStateMachine):
    """One organization in PostgreSQL and in the model, and what both must say alike after each step."""

    world: World
    code_hash: str
    organizations = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.code = f"{next(self.organizations)}"
        self.office = Office(lock_after=4, phone_lock_after=3)
        self.settled: list[tuple[Any, Answer]] = []

    @initialize(policy=st.sampled_from(("refuse", "displace")))
    def open_office(self, policy: str) -> None:
        self.office.policy = policy
        self.world.organization(self.code, policy=policy, lock_after=4, phone_lock_after=3)
        for number in NUMBERS:
            self.world.desk(
                number, organization=self.code, code=False, phone=number != WITHOUT_DESK,
                code_hash=self.code_hash, code_set_at="now",
            )  # fmt: skip
            self.office.extensions[number] = Extension(number)
            if number != WITHOUT_DESK:
                self.office.phones[self.phone(number)] = Phone(self.phone(number), number)
        self.office.phones[self.phone(SPARE)] = Phone(self.phone(SPARE), None)
        self.sql("INSERT INTO phone (organization_id, name, node_id) SELECT o.id, %s, n.id FROM organization o, pbx_node n "
                 "WHERE o.code = %s", self.phone(SPARE), self.code)  # fmt: skip

    # --- then ---

    @invariant()
    def both_know_the_same(self) -> None:
        if not self.office.phones:
            return
        with self.world.database.connection() as connection:
            seen = connection.execute(
                "SELECT p.name, g.number, a.number FROM phone p JOIN organization o ON o.id = p.organization_id "
                "LEFT JOIN extension g ON g.id = p.guest_id LEFT JOIN acts_as a ON a.phone_id = p.id WHERE o.code = %s",
                [self.code],
            ).fetchall()
            rings = connection.execute(
                "SELECT split_part(key, '*', 2), phone FROM rings r JOIN organization o ON o.id = r.organization_id "
                "WHERE o.code = %s", [self.code],
            ).fetchall()  # fmt: skip
        office = self.office
        assert not office.broken()
        self.both_count_the_same()
        assert dict(rings) == {number: office.rings(number) for number in office.extensions}
        assert sorted(seen) == sorted(
            (name, phone.guest, office.acts_as(name)) for name, phone in office.phones.items()
        )

    def both_count_the_same(self) -> None:
        """The wrong codes, and how long locks last, to a second."""
        known: dict[str, Mapping[str, Extension | Phone]] = {
            "extension": self.office.extensions, "phone": self.office.phones,
        }  # fmt: skip
        for table, of, wrong, locks, until in self.world.rows(_COUNTS, self.code, self.code):
            locked = known[table][of]
            assert (of, wrong, locks) == (of, locked.wrong, locked.locks)
            expected = locked.locked_until and locked.locked_until.timestamp()
            assert until == pytest.approx(expected, abs=1)

    def teardown(self) -> None:
        rows = map(Row._make, self.world.rows(ROWS, self.code))
        assert replay(rows) == self.office.guests()
        unnamed = "SELECT count(*) FROM journal WHERE origin = 'call' AND asked_from IS NULL"
        assert self.world.value(unnamed) == 0

    def same(self, answer: Answer, result: Result) -> None:
        number = answer.extension and answer.extension.rpartition("*")[2]
        displaced = answer.displaced and answer.displaced.rpartition("*")[2]
        assert (answer.outcome, displaced) == (result.outcome, result.displaced)
        if result.outcome in {"virtualized", "returned"}:
            assert (number, answer.phone) == (result.extension, result.phone)

    # --- words ---

    def phone(self, place: str) -> str:
        return f"desk{self.code}-{place}"

    def attempt(self, place: str, number: str, call: str, digits: str) -> Try:
        request_id = new_id()
        return Try(
            request_id=request_id, call=f"{self.code}/{call}", phone=self.phone(place), number=number,
            made_at=self.world.now() - timedelta(milliseconds=1),
            sealed_code=seal(self.world.settings.need("seal_public_key"), request_id, digits),
        )  # fmt: skip

    def try_code(self, tried: Try) -> Answer:
        answer = self.world.verifying.verify(tried)
        if answer.outcome != "code_right":
            return answer
        return self.world.binding.virtualize(Virtualize(**tried.model_dump(exclude={"sealed_code"})))

    def change(self, number: str, columns: str, *values: object) -> None:
        self.sql(
            f"UPDATE extension e SET {columns} FROM organization o WHERE o.id = e.organization_id AND o.code = %s "
            "AND e.number = %s", *values, self.code, number,
        )  # fmt: skip

    def sql(self, statement: str, *parameters: object) -> None:
        self.world.sql(statement, *parameters)
