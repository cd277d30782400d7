"""The core against the pure model, driven by hypothesis: whatever is asked, in any order, both say the same."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chaos.model import Extension, Office, Phone, Result
from roost.database import Database
from roost.directory import Directory
from roost.directory.changes import By
from roost.moves.requests import Answer, Try, Virtualize
from roost.seal import seal
from roost.settings import Settings
from tests.core.replay import ROWS, Row, replay
from tests.world import World, cheap_hash, new_id

NUMBERS = ("1", "2", "3", "4", "5")
#: One more extension than phones, and one more phone than extensions: a person without a desk, a desk without one.
WITHOUT_DESK = "5"
SPARE = "spare"
RIGHT, WRONG = "4711", "0000"

# Mostly what exists: a refusal at the first check teaches little.
numbers = st.sampled_from((*NUMBERS, *NUMBERS, *NUMBERS, "9"))
places = st.sampled_from((*NUMBERS[:-1] * 4, SPARE, "ghost"))
calls = st.sampled_from("abcd")
rights = st.sampled_from((True, True, False))


class Core(RuleBasedStateMachine):
    """One organization in PostgreSQL and in the model; each rule asks both."""

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

    # --- people ---

    @rule(place=places, number=st.one_of(st.just(""), numbers))
    def dial(self, place: str, number: str) -> None:
        request_id = new_id()
        answer = self.world.dial(self.phone(place), number, request_id=request_id)
        self.same(answer, self.office.dial(self.phone(place), number, self.world.now()))
        if answer.outcome != "code_needed":
            self.settled.append(
                (lambda: self.world.dial(self.phone(place), number, request_id=request_id), answer)
            )

    @rule(place=places, number=numbers, call=calls, right=rights)
    def key(self, place: str, number: str, call: str, *, right: bool) -> None:
        tried = self.attempt(place, number, call, RIGHT if right else WRONG)
        answer = self.try_code(tried)
        at = self.world.now()
        self.same(answer, self.office.key(tried.call, self.phone(place), number, right=right, at=at))
        self.settled.append((lambda: self.try_code(tried), answer))

    @rule(place=places, number=numbers)
    def administrator_moves(self, place: str, number: str) -> None:
        request_id = new_id()

        def ask() -> Answer:
            return self.world.move(number, self.phone(place), organization=self.code, request_id=request_id)

        answer = ask()
        self.same(answer, self.office.move(self.phone(place), number, self.world.now()))
        self.settled.append((ask, answer))

    @rule(number=numbers)
    def administrator_returns(self, number: str) -> None:
        request_id = new_id()

        def ask() -> Answer:
            return self.world.bring_home(number, organization=self.code, request_id=request_id)

        answer = ask()
        self.same(answer, self.office.return_home(number))
        self.settled.append((ask, answer))

    # --- what goes wrong ---

    @precondition(lambda self: self.settled)
    @rule(data=st.data())
    def any_request_is_delivered_again(self, data: st.DataObject) -> None:
        ask, first = data.draw(st.sampled_from(self.settled))
        again = ask()
        assert (again.outcome, again.extension, again.phone, again.displaced) == (
            first.outcome, first.extension, first.phone, first.displaced,
        )  # fmt: skip

    @rule(place=places, number=numbers, age=st.sampled_from((10.5, 3600, -60)))
    def a_request_comes_too_late_or_from_the_future(self, place: str, number: str, age: float) -> None:
        assert self.world.dial(self.phone(place), number, age=age).outcome == "expired"
        assert self.world.key(self.phone(place), number, RIGHT, age=age).outcome == "expired"

    @rule(place=places, number=numbers, call=calls)
    def a_bind_arrives_without_the_proof_of_a_code(self, place: str, number: str, call: str) -> None:
        asked = self.attempt(place, number, call, RIGHT)
        answer = self.world.binding.virtualize(Virtualize(**asked.model_dump(exclude={"sealed_code"})))
        outcome = self.office.check_move(self.phone(place), number, self.world.now())
        if outcome is None:
            assert answer.outcome == "wrong_code"
        else:
            self.same(answer, self.office.dial(self.phone(place), number, self.world.now()))

    # --- administrators, and a person with psql ---

    @rule(
        number=st.sampled_from(NUMBERS),
        change=st.sampled_from(("disallow", "disable", "clear_code", "break_phone")),
    )
    def something_is_taken_away(self, number: str, change: str) -> None:
        office = self.office
        extension, own, host = office.extensions[number], office.own_phone(number), office.host_of(number)
        match change:
            case "disallow" if extension.allows:
                extension.allows = False
                self.change(number, "allows_virtualization = false")
                office.send_home([own.name] if own else [])
            case "disable":
                extension.enabled = False
                self.change(number, "enabled = false")
                office.send_home(office.phones_about(number))
            case "clear_code" if extension.has_code:
                extension.has_code = False
                self.change(number, "code_hash = NULL, code_set_at = NULL")
                office.send_home([host.name] if host else [])
            case "break_phone" if own is not None:
                own.enabled = False
                self.sql("UPDATE phone SET enabled = false WHERE name = %s", own.name)
                office.send_home([own.name])
            case _:
                pass

    @rule()
    def everything_is_given_back(self) -> None:
        for number, extension in self.office.extensions.items():
            extension.allows = extension.enabled = extension.has_code = True
            self.change(
                number,
                "allows_virtualization = true, enabled = true, code_hash = %s, code_set_at = now()",
                self.code_hash,
            )
            own = self.office.own_phone(number)
            if own is not None:
                own.enabled = True
                self.sql("UPDATE phone SET enabled = true WHERE name = %s", own.name)

    @rule(policy=st.sampled_from(("refuse", "displace")))
    def the_policy_changes(self, policy: str) -> None:
        self.office.policy = policy
        self.sql("UPDATE organization SET policy = %s WHERE code = %s", policy, self.code)

    @rule()
    def locks_end(self) -> None:
        for table in ("extension", "phone"):
            self.sql(f"UPDATE {table} SET locked_until = NULL")
        locked: list[Extension | Phone] = [*self.office.extensions.values(), *self.office.phones.values()]
        for each in locked:
            each.locked_until = None

    @rule(number=st.sampled_from(NUMBERS), of_phone=st.booleans())
    def an_administrator_unlocks(self, number: str, *, of_phone: bool) -> None:
        own, directory = self.office.own_phone(number), Directory(self.world.database)
        if not of_phone:
            directory.unlock_extension(f"{self.code}*{number}", By("cli", "ann"))
            self.office.unlock(self.office.extensions[number])
        elif own is not None:
            directory.unlock_phone(own.name, By("cli", "ann"))
            self.office.unlock(own)

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
        counts = (
            "SELECT x.{0}, x.failed_codes, x.locks, extract(epoch FROM x.locked_until)::float8 FROM {1} x "
            "JOIN organization o ON o.id = x.organization_id WHERE o.code = %s"
        )
        for name, table, known in (
            ("number", "extension", self.office.extensions), ("name", "phone", self.office.phones),
        ):  # fmt: skip
            for of, wrong, locks, until in self.world.rows(counts.format(name, table), self.code):
                locked = known[of]
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


@pytest.mark.timeout(180)
@pytest.mark.parametrize("_part", range(4))  # several processes may share them
def test_whatever_is_asked_core_and_model_say_the_same(
    database: Database, settings: Settings, _part: int
) -> None:
    world = World(database, settings)
    world.node()

    class InPostgres(Core):
        pass

    InPostgres.world = world
    InPostgres.code_hash = cheap_hash(settings.need("code_pepper"), RIGHT)
    run_state_machine_as_test(InPostgres, settings=_FEW_LONG)


#: Few examples, each long: what goes wrong needs a history. Each run tries others.
_FEW_LONG = effort(
    max_examples=16, stateful_step_count=50, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip
