"""People and sessions: who may be let in, and for how long."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from roost.database import Database
from roost.directory.errors import Duplicate, UnknownExtension, UnknownOrganization
from roost.directory.rules import BadField
from roost.errors import RoostError
from roost.people.access import Right
from roost.people.person import People, Role, UnknownPerson
from roost.people.revocation import Credential, still_good
from roost.people.secret_tokens import hash_secret
from roost.people.sessions import NotSignedIn, Sessions, WrongPassword
from roost.people.sign_in_limits import MOST_BROWSERS, TooManyTries
from roost.people.tokens import Tokens
from roost.people.weak_passwords import WeakPassword
from roost.settings import Settings
from tests.cluster import wait_until
from tests.world import World, new_id

ADDRESS = "192.0.2.7"


@pytest.fixture
def password() -> str:
    return new_id()


@pytest.fixture
def people(world: World, password: str) -> People:
    world.office("001", "002")
    world.person("ann", password, Role.OWNER, organization="0001", number="001", name="Ann")
    world.person("boss", password, Role.ADMINISTRATOR, organization="0001")
    world.person("root", password, Role.OPERATOR)
    return People(world.database)


@pytest.fixture
def sessions(world: World, people: People) -> Sessions:
    return Sessions(world.database, world.settings)


def test_the_role_says_what_somebody_may_do(world: World, password: str) -> None:
    world.office("001")
    people = People(world.database)
    people.add("Ann", password, Role.OWNER, extension="0001*001", name="Ann")
    people.add("boss", password, Role.ADMINISTRATOR, organization="0001")
    people.add("root", password, Role.OPERATOR)
    ann, boss, root = (people.person(login).asker for login in ("ann", "boss", "root"))
    assert (ann.right, ann.organization, ann.number) == (Right.OPERATE, "0001", "001")
    assert (boss.right, boss.organization, boss.number) == (Right.ADMINISTER, "0001", None)
    assert (root.right, root.organization) == (Right.ADMINISTER, None)


@pytest.mark.parametrize(
    ("login", "role", "organization", "extension", "error"),
    [
        ("ANN", Role.OPERATOR, None, None, Duplicate),
        ("x", Role.OPERATOR, "0001", None, BadField),
        ("x", Role.ADMINISTRATOR, None, None, BadField),
        ("x", Role.ADMINISTRATOR, "0009", None, UnknownOrganization),
        ("x", Role.OWNER, "0001", None, BadField),
        ("x", Role.OWNER, None, "0001*009", UnknownExtension),
        ("", Role.OPERATOR, None, None, BadField),
        ("a b", Role.OPERATOR, None, None, BadField),
    ],
)
def test_a_person_that_fits_nothing_is_refused(
    people: People, password: str, login: str, role: Role, organization: str | None, extension: str | None,
    error: type[RoostError],
) -> None:  # fmt: skip
    with pytest.raises(error):
        people.add(login, password, role, organization=organization, extension=extension)


@pytest.mark.parametrize("length", [0, 9, 201])
def test_a_password_has_a_length(people: People, length: int) -> None:
    with pytest.raises(BadField):
        people.set_password("ann", "x" * length)


@pytest.mark.parametrize(
    "weak",
    ["password123", "1234567890", "qwertyuiop", "Passw0rd!!", "letmeinplease", "aaaaaaaaaaaa", "ann1234567", "AnnAndersson", "Roost12345", "2026-11-27", "passwordpasswordpassword"],
)  # fmt: skip
def test_a_password_that_is_guessed_first_is_refused(world: World, people: People, weak: str) -> None:
    before = world.value("SELECT password_hash FROM person WHERE login = 'ann'")
    with pytest.raises(WeakPassword):
        people.add("ann2", weak, Role.OPERATOR, name="Ann Andersson")
    world.sql("UPDATE person SET name = 'Ann Andersson' WHERE login = 'ann'")
    with pytest.raises(WeakPassword):
        people.set_password("ann", weak)
    assert world.value("SELECT password_hash FROM person WHERE login = 'ann'") == before


def test_a_long_password_is_judged_in_no_time(people: People) -> None:
    """Each character of it may stand for several others, of which the library tries all together."""
    started = time.process_time()
    people.set_password("ann", "4@8({[<3690!1|5$7+%2" * 10)
    assert time.process_time() - started < 2


def test_signing_in_opens_a_session_that_can_be_ended(sessions: Sessions, password: str) -> None:
    first, second = (sessions.sign_in("ANN", password, ADDRESS).secret for _ in range(2))
    assert sessions.find(first).login == "ann"
    sessions.end(first)
    with pytest.raises(NotSignedIn):
        sessions.find(first)
    sessions.end_all(sessions.find(second).id)
    with pytest.raises(NotSignedIn):
        sessions.find(second)


def test_sessions_end_by_age_and_when_unused(world: World, sessions: Sessions, password: str) -> None:
    old, unused = (sessions.sign_in("ann", password, ADDRESS).secret for _ in range(2))
    world.sql("UPDATE session SET expires_at = now()")
    with pytest.raises(NotSignedIn):
        sessions.find(old)
    world.sql(
        "UPDATE session SET expires_at = now() + interval '1 hour', seen_at = now() - interval '3 hours'"
    )
    with pytest.raises(NotSignedIn):
        sessions.find(unused)
    sessions.sign_in("ann", password, ADDRESS)
    assert world.value("SELECT count(*) FROM session") == 1


@pytest.mark.parametrize("doing", ["password", "disable", "remove"])
def test_a_changed_person_is_signed_out(
    people: People, sessions: Sessions, password: str, doing: str
) -> None:
    secret = sessions.sign_in("ann", password, ADDRESS).secret
    match doing:
        case "password":
            people.set_password("ann", new_id())
        case "disable":
            people.set_enabled("ann", enabled=False)
        case _:
            people.remove("ann")
    with pytest.raises(NotSignedIn):
        sessions.find(secret)
    with pytest.raises(WrongPassword):
        sessions.sign_in("ann", password, ADDRESS)


#: Another's transaction is waited for.
_WAITS = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
_OPEN = "INSERT INTO session (token_hash, person_id, address, expires_at) SELECT '\\x00', id, '', now() + interval '1 hour' FROM person WHERE login = 'ann'"
_CHANGES = (
    "UPDATE person SET password_hash = 'another' WHERE login = 'ann'",
    "UPDATE person SET enabled = false WHERE login = 'ann'",
)


@pytest.mark.parametrize("change", _CHANGES)
def test_who_signs_in_while_the_person_is_changed_gets_no_session(
    world: World, sessions: Sessions, password: str, change: str
) -> None:
    """The password was compared before, and was right."""
    with ThreadPoolExecutor(1) as visitors:
        with world.database.connection() as connection, connection.transaction():
            connection.execute(change)
            signing_in = visitors.submit(sessions.sign_in, "ann", password, ADDRESS)
            wait_until(
                lambda: signing_in.done() or world.value(_WAITS) is True,
                "it waits for who changes the person",
            )
        with pytest.raises(WrongPassword):
            signing_in.result()
    assert world.value("SELECT count(*) FROM session") == 0


def test_a_session_that_is_just_being_opened_ends_with_the_old_password(world: World, people: People) -> None:
    with ThreadPoolExecutor(1) as boss:
        with world.database.connection() as connection, connection.transaction():
            connection.execute("SELECT FROM person WHERE login = 'ann' FOR SHARE")
            connection.execute(_OPEN)
            changing = boss.submit(people.set_password, "ann", new_id())
            wait_until(lambda: world.value(_WAITS) is True, "it waits for the session")
        changing.result()
    assert world.value("SELECT count(*) FROM session") == 0


def guess(
    sessions: Sessions, times: int, login: str = "ann", address: str = ADDRESS, browser: str = ""
) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword):
            sessions.sign_in(login, "wrong", address, browser)


def wait_of(
    world: World, sessions: Sessions, login: str, password: str, address: str = ADDRESS, browser: str = ""
) -> int:
    """Whole seconds that a try has to wait after the last one. How much of it has gone by is measured; on a machine that stood still, again."""
    for _ in range(20):
        before = since_last_try(world)
        with pytest.raises(TooManyTries) as refused:
            sessions.sign_in(login, password, address, browser)  # refused, it counts for nothing
        least, most = refused.value.wait + before, refused.value.wait + since_last_try(world)
        if math.ceil(least) == math.floor(most):
            return math.ceil(least)
    pytest.fail("the machine stands still for a second at each try")


def since_last_try(world: World) -> float:
    gone = world.value("SELECT extract(epoch FROM clock_timestamp() - max(at))::float8 FROM sign_in_try")
    assert isinstance(gone, float)
    return gone


def time_passes(world: World, seconds: int) -> None:
    world.sql(f"UPDATE sign_in_try SET at = at - interval '{seconds} seconds'")


def test_who_guesses_waits_ever_longer_and_everybody_else_signs_in(
    world: World, sessions: Sessions, password: str
) -> None:
    guess(sessions, 10)
    waits = []
    for _ in range(8):
        waits.append(wait_of(world, sessions, "ann", password))
        time_passes(world, waits[-1])
        guess(sessions, 1)
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]
    assert sessions.sign_in("ann", password, "192.0.2.8"), "from another address"
    assert sessions.sign_in("boss", password, ADDRESS), "another account"
    assert wait_of(world, sessions, "ann", password) == 900, "which forgives nobody who guesses"


def test_a_known_browser_is_not_shut_out_by_strangers(
    world: World, sessions: Sessions, password: str
) -> None:
    browser = sessions.sign_in("ann", password, ADDRESS).browser
    world.sql(
        "INSERT INTO sign_in_try (login, address) SELECT 'ann', %s || '.' || n FROM generate_series(1, 100) n",
        "198.51.100",
    )
    assert wait_of(world, sessions, "ann", password) == 15, "strangers together are limited"
    assert sessions.sign_in("ann", password, "192.0.2.9", browser).browser == browser
    assert wait_of(world, sessions, "ann", password, browser="made up") == 15
    assert (
        wait_of(world, sessions, "ann", password, browser=sessions.sign_in("boss", password, ADDRESS).browser)
        == 15
    )

    guess(sessions, 10, browser=browser)
    assert wait_of(world, sessions, "ann", password, browser=browser) == 15, (
        "it has tries of its own, no more"
    )


def test_a_browser_gets_a_secret_of_ours_and_old_ones_are_forgotten(
    world: World, sessions: Sessions, password: str
) -> None:
    planted = "put there by somebody else"
    given = sessions.sign_in("ann", password, ADDRESS, planted).browser
    assert given != planted
    for _ in range(MOST_BROWSERS):
        sessions.sign_in("ann", password, ADDRESS)
    assert world.value("SELECT count(*) FROM known_browser") == MOST_BROWSERS
    assert sessions.sign_in("ann", password, ADDRESS, given).browser != given


def test_addresses_of_one_network_of_ipv6_count_as_one(
    world: World, sessions: Sessions, password: str
) -> None:
    for host in range(10):
        guess(sessions, 1, address=f"2001:db8:1:2::{host}")
    assert wait_of(world, sessions, "ann", password, "2001:db8:1:2:ffff::1") == 15
    assert sessions.sign_in("ann", password, "2001:db8:1:3::1")


def test_web_processes_count_together(
    world: World, sessions: Sessions, settings: Settings, password: str
) -> None:
    """Whichever process answers: who goes from one to the next has no more tries."""
    other = Database(settings.need("database_url"), size=1)
    here, there = sessions, Sessions(other, settings)
    for _ in range(5):
        guess(here, 1)
        guess(there, 1)
    assert wait_of(world, here, "ann", password) == wait_of(world, there, "ann", password) > 0
    other.close()


def test_many_tries_at_once_count_too(sessions: Sessions) -> None:
    def attempt(_: int) -> type[RoostError]:
        with pytest.raises(RoostError) as error:
            sessions.sign_in("ann", "wrong", ADDRESS)
        return type(error.value)

    with ThreadPoolExecutor(8) as visitors:
        outcomes = list(visitors.map(attempt, range(30)))
    assert outcomes.count(WrongPassword) == 10
    assert outcomes.count(TooManyTries) == 20


def test_an_address_is_limited_over_all_accounts(world: World, people: People, password: str) -> None:
    sessions = Sessions(world.database, world.settings.model_copy(update={"sign_in_tries_by_address": 5}))
    for number in range(5):
        with pytest.raises(WrongPassword):
            sessions.sign_in(f"nobody{number}", "wrong", ADDRESS)
    with pytest.raises(TooManyTries):
        sessions.sign_in("boss", password, ADDRESS)
    assert sessions.sign_in("boss", password, "192.0.2.8")


def test_limits_end_with_time_and_a_right_password_forgets_wrong_ones(
    world: World, sessions: Sessions, password: str
) -> None:
    for _ in range(10):
        with pytest.raises(WrongPassword):
            sessions.sign_in("ann", "wrong", ADDRESS)
    world.sql("UPDATE sign_in_try SET at = at - interval '15 minutes'")
    assert sessions.sign_in("ann", password, ADDRESS)
    assert world.value("SELECT count(*) FROM sign_in_try") == 0


def test_nothing_secret_is_stored(world: World, sessions: Sessions, password: str) -> None:
    secret = sessions.sign_in("ann", password, ADDRESS).secret
    _, token = Tokens(world.database).add("t", Right.READ, None)
    stored = str(world.value("SELECT array_agg(s::text) || (SELECT array_agg(p::text) FROM person p) || "
                             "(SELECT array_agg(t::text) FROM token t) FROM session s"))  # fmt: skip
    for text in (secret, token, password):
        assert text not in stored
        assert text.encode().hex() not in stored


def test_people_go_with_their_extension_and_organization(world: World, people: People) -> None:
    world.sql("DELETE FROM extension WHERE number = '001'")
    with pytest.raises(UnknownPerson):
        people.person("ann")
    world.sql("DELETE FROM organization")
    assert [person.login for person in people.people()] == ["root"]


def test_a_role_of_a_later_release_gives_nothing_here_and_keeps_nobody_from_being_cut_off(
    world: World, people: People, sessions: Sessions, password: str
) -> None:
    """Two releases run on one database while hosts are restarted: who has a stream open may be given what this one does not know."""
    ann, boss = (
        Credential(hash_secret(sessions.sign_in(login, password, ADDRESS).secret), people.person(login).asker)
        for login in ("ann", "boss")
    )
    assert still_good(world.database, [ann, boss], 3600).keys() == {ann, boss}
    world.sql("ALTER TABLE person DROP CONSTRAINT person_role_check")
    world.sql("UPDATE person SET role = 'auditor' WHERE login = 'boss'")
    assert still_good(world.database, [ann, boss], 3600).keys() == {ann}
