"""The core against the pure model, driven by hypothesis: whatever is asked, in any order, both say the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from chaos.model import Extension, Phone, Result
from roost.database import Database
from roost.directory import Directory
from roost.directory.changes import By
from roost.moves.binding import Move
from roost.moves.requests import Answer, Dial, Return, Virtualize
from roost.settings import Settings
from tests.core.compared import NUMBERS, RIGHT, SPARE, WRONG, Compared
from tests.world import World, cheap_hash, new_id

# Mostly what exists: a refusal at the first check teaches little.
numbers = st.sampled_from((*NUMBERS, *NUMBERS, *NUMBERS, "9"))
places = st.sampled_from((*NUMBERS[:-1] * 4, SPARE, "ghost"))
calls = st.sampled_from("abcd")
kinds = st.sampled_from(("move", "move", "dial", "dial_home", "return"))
rights = st.sampled_from((True, True, False))


class Core(Compared):
    """Each rule asks both."""

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

    @rule(asked=st.lists(st.tuples(kinds, places, numbers, st.booleans()), min_size=2, max_size=8))
    def several_are_settled_together(self, asked: list[tuple[str, str, str, bool]]) -> None:
        """Each sees what those before it did; some are asked twice, under one id."""
        requests: list[Move] = []
        for kind, place, number, repeats in asked:
            request: Move = (
                requests[-1] if repeats and requests else self.request(kind, self.phone(place), number)
            )
            requests.append(request)
        first: dict[str, Answer] = {}
        for request, answer in zip(requests, self.world.binding.together(requests), strict=True):
            if request.request_id in first and answer.outcome != "code_needed":
                assert answer.model_copy(update={"now": None}) == first[request.request_id].model_copy(
                    update={"now": None}
                )
                continue
            first[request.request_id] = answer
            self.same(answer, self.in_the_office(request))

    def request(self, kind: str, phone: str, number: str) -> Move:
        new, now = new_id(), self.world.now()
        match kind:
            case "move":
                return Virtualize(
                    request_id=new,
                    made_at=now,
                    origin="cli",
                    organization=self.code,
                    phone=phone,
                    number=number,
                )
            case "return":
                return Return(
                    request_id=new, made_at=now, origin="cli", organization=self.code, number=number
                )
            case _:
                dialled = number if kind == "dial" else ""
                return Dial(request_id=new, made_at=now, call=new_id(), phone=phone, number=dialled)

    def in_the_office(self, request: Move) -> Result:
        match request:
            case Virtualize():
                return self.office.move(request.phone, request.number, self.world.now())
            case Return():
                return self.office.return_home(request.number)
            case Dial():
                return self.office.dial(request.phone, request.number, self.world.now())

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
