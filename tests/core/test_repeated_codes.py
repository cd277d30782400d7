"""A request to set a code that comes again: with the same code it hears what it came to; with another one it is another request."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from roost.moves.at_most_once import RequestIdReused
from roost.moves.bound_ids import set_code_id
from roost.moves.requests import SetCode
from roost.moves.secret_codes import code_matches
from roost.seal import seal
from tests.core.test_sealed_codes import changed_settings
from tests.world import World, new_id

FIRST, OTHER, WEAK = "24681", "83017", "1234"


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002")
    return world


def put(office: World, key: str, digits: str | None) -> str:
    """Set 001's code, or clear it, with this key; what it came to."""
    named, sealed = key, None
    if digits is not None:
        named = set_code_id(key, "0001", "001")
        sealed = seal(office.settings.need("seal_public_key"), named, digits)
    request = SetCode(
        request_id=named, origin="web", made_at=office.now(), organization="0001", number="001", sealed_code=sealed
    )  # fmt: skip
    return office.verifying.set_code(request).outcome


def holds(office: World, digits: str) -> bool:
    """Whether this is 001's code."""
    stored = office.value("SELECT code_hash FROM extension WHERE number = '001'")
    return code_matches(office.settings.need("code_pepper"), str(stored), digits)


def test_with_another_code_it_is_another_request(office: World) -> None:
    key = new_id()
    assert put(office, key, FIRST) == "code_set"
    with pytest.raises(RequestIdReused):
        put(office, key, OTHER)
    assert holds(office, FIRST)
    assert [row[:2] for row in office.journal()] == [("set_code", "code_set")]


def test_with_the_same_code_it_hears_the_same_whatever_was_keyed_since(office: World) -> None:
    key = new_id()
    assert put(office, key, FIRST) == "code_set"
    for digits in (OTHER, FIRST):
        office.key("desk002", "001", digits)
    assert put(office, key, FIRST) == "code_set"


def test_with_the_same_code_it_hears_the_same_while_the_pepper_is_changed(office: World) -> None:
    key, before = new_id(), office.settings.need("code_pepper")
    assert put(office, key, FIRST) == "code_set"
    with changed_settings(office, code_pepper=SecretStr("new"), code_pepper_before=SecretStr(before)):
        assert put(office, key, FIRST) == "code_set"
        assert office.key("desk002", "001", FIRST).outcome == "virtualized"  # and is hashed anew
        assert put(office, key, FIRST) == "code_set"
        with pytest.raises(RequestIdReused):
            put(office, key, OTHER)


def test_once_the_code_was_replaced_or_cleared_a_repeat_hears_the_same_and_changes_nothing(
    office: World,
) -> None:
    key = new_id()
    assert put(office, key, FIRST) == "code_set"
    assert put(office, new_id(), OTHER) == "code_set"
    assert put(office, key, FIRST) == "code_set"
    assert holds(office, OTHER)
    assert put(office, new_id(), None) == "code_cleared"
    assert put(office, key, FIRST) == "code_set"
    assert office.value("SELECT code_hash FROM extension WHERE number = '001'") is None


def test_after_a_weak_one_a_good_code_is_another_request(office: World) -> None:
    key = new_id()
    assert [put(office, key, WEAK) for _ in range(2)] == ["weak_code"] * 2
    with pytest.raises(RequestIdReused):
        put(office, key, FIRST)
    assert not holds(office, FIRST)
