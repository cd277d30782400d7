"""What refusals tell by the work in them, at a phone and at the page: no more than by their words.

Work is counted, in statements and in hashes that are made; the seconds of a busy machine would prove nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest
from argon2 import PasswordHasher

from roost.moves.requests import Answer
from roost.people.person import People, Role
from roost.people.sessions import Sessions, WrongPassword
from tests.world import World, new_id

Told = tuple[str, Counter[str]]


@pytest.fixture
def office(world: World) -> World:
    """At desk002 of organization 0001: 001 has a code, 003 has none, 004 is locked, and 009 is somebody else's."""
    world.office("001", "002", "004")
    world.desk("003", code=False)
    world.sql("UPDATE extension SET locked_until = now() + interval '1 hour' WHERE number = '004'")
    world.organization("0002")
    world.desk("009", organization="0002")
    return world


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What this thread does from now on: statements, and hashes that are compared. A pool connects in threads of its own."""
    done, mine = Counter[str](), threading.get_ident()

    def counted(of: type, name: str, what: str) -> None:
        original = getattr(of, name)

        def count(*arguments: object, **keywords: object) -> object:
            if threading.get_ident() == mine:
                done[what] += 1
            return original(*arguments, **keywords)

        monkeypatch.setattr(of, name, count)

    counted(psycopg.Cursor, "execute", "statements")
    counted(PasswordHasher, "verify", "hashes")
    return done


def told(work: Counter[str], ask: Callable[..., Answer], *arguments: str) -> Told:
    """What is told by asking: the outcome, and the work until then."""
    ask(*arguments)  # the first time statements are planned, and a connection may be opened
    work.clear()
    outcome = ask(*arguments).outcome.value
    return outcome, Counter(work)


def test_what_is_dialled_is_answered_with_the_same_work_whatever_the_answer(
    office: World, work: Counter[str]
) -> None:
    heard = {
        number: told(work, office.dial, "desk002", number)
        for number in ("001", "002", "003", "004", "009", "777")
    }
    assert {number: outcome for number, (outcome, _) in heard.items()} == {
        "001": "code_needed", "002": "already_here", "003": "no_code", "004": "locked",
        "009": "unknown_extension", "777": "unknown_extension",
    }  # fmt: skip
    assert len({tuple(done.items()) for _, done in heard.values()}) == 1


@pytest.mark.parametrize("digits", ["", "12", "47114711"])
def test_a_number_of_another_organization_is_like_nobodys(
    office: World, work: Counter[str], digits: str
) -> None:
    theirs, nobodys = (told(work, office.key, "desk002", number, digits) for number in ("009", "777"))
    assert theirs == nobodys == ("unknown_extension", Counter(statements=3))


def test_who_says_a_phone_that_is_none_learns_no_number(office: World, work: Counter[str]) -> None:
    for ask, *keyed in ((office.dial,), (office.key, "47114711")):
        known, unknown = (told(work, ask, "none", number, *keyed) for number in ("001", "777"))
        assert known == unknown
        assert known[0] == "unknown_phone"


@pytest.mark.parametrize("locked", ["extension", "phone"])
def test_behind_a_lock_a_right_code_is_like_a_wrong_one(
    office: World, work: Counter[str], locked: str
) -> None:
    """Else whoever locked it could go on guessing, and hear it by the time that a comparison takes."""
    office.sql(f"UPDATE {locked} SET locked_until = now() + interval '1 hour'")
    right = office.codes["0001", "001"]
    heard = [told(work, office.key, "desk002", "001", digits) for digits in (right, another(right))]
    assert heard == [("locked" if locked == "extension" else "phone_locked", Counter(statements=3))] * 2


def test_a_wrong_code_costs_the_same_however_near_it_is(office: World, work: Counter[str]) -> None:
    right = office.codes["0001", "001"]
    far = "".join(str(9 - int(digit)) for digit in right)
    for digits in (another(right), right[:4], far):
        assert told(work, office.key, "desk002", "001", digits) == (
            "wrong_code", Counter(statements=3, hashes=1),
        )  # fmt: skip


def test_who_has_no_account_costs_the_work_of_who_mistyped(world: World, work: Counter[str]) -> None:
    people, sessions = People(world.database), Sessions(world.database, world.settings)
    password = new_id()
    for login in ("known", "disabled"):
        people.add(login, password=password, role=Role.OPERATOR)
    people.set_enabled("disabled", enabled=False)

    def done(login: str) -> Counter[str]:
        work.clear()
        with pytest.raises(WrongPassword):
            sessions.sign_in(login, "a wrong password", "192.0.2.7")
        return Counter(work)

    done("known")  # the first time more is prepared
    of_known, of_nobody, of_disabled = (done(login) for login in ("known", "nobody", "disabled"))
    assert of_known == of_nobody == of_disabled
    assert of_known["hashes"] == 1


def another(code: str) -> str:
    """As long, and wrong in its last digit."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)
