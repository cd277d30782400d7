"""A code on its way and at rest: sealed for one request, hashed over the pepper; and what holds while keys and peppers change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from roost.moves.bound_ids import set_code_id, try_id
from roost.moves.requests import SetCode
from roost.moves.secret_codes import code_matches, hash_code, is_code
from roost.moves.verifying import Verifying
from roost.seal import SealBroken, new_keys, seal, unseal
from tests.world import World, new_id


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002", "003")
    return world


def test_a_hash_needs_the_pepper() -> None:
    stored = hash_code("pepper", "12345678")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")  # what slows down who stole the table
    assert code_matches("pepper", stored, "12345678")
    assert not code_matches("pepper", stored, "12345679")
    assert not code_matches("salt", stored, "12345678")
    assert not code_matches("pepper", "garbage", "12345678")
    assert [is_code(c) for c in ("123", "1234", "12345678", "123456789", "12 4", "")] == [
        False, True, True, False, False, False,
    ]  # fmt: skip


def test_a_sealed_code_opens_only_for_its_request() -> None:
    public, private = new_keys()
    box = seal(public, "request-1", "1234")
    assert unseal(private, "request-1", box) == "1234"
    for key, owner, text in [
        (private, "request-2", box),
        (new_keys()[1], "request-1", box),
        (private, "request-1", "AAAA"),
    ]:
        with pytest.raises(SealBroken):
            unseal(key, owner, text)


@pytest.mark.parametrize(
    "changed", [{"phone": "desk003"}, {"number": "003"}, {"call": "another"}, {"request_id": "another"}]
)
def test_a_try_that_was_changed_on_its_way_is_none(office: World, changed: dict[str, str]) -> None:
    """As by somebody who may read and write messages, and has a phone or a call of their own."""
    tried = office.attempt("desk002", "001", office.codes["0001", "001"])
    with pytest.raises(SealBroken):
        office.verifying.verify(tried.model_copy(update=changed))
    assert office.verifying.verify(tried).outcome == "code_right"


def test_a_release_that_binds_no_more_than_the_request_id_opens_a_try_and_is_opened(office: World) -> None:
    private, code = office.settings.need("seal_private_key"), office.codes["0001", "001"]
    tried = office.attempt("desk002", "001", code)
    assert unseal(private, tried.request_id, tried.sealed_code) == code
    of_before = office.attempt("desk002", "001", code, request_id="n1/1767225600.1/try-0123456789ab")
    assert office.verifying.verify(of_before).outcome == "code_right"


def a_new_code(office: World, request_id: str) -> SetCode:
    """`4711` for extension 001, as a front door sends it under this id."""
    sealed = seal(office.settings.need("seal_public_key"), request_id, "4711")
    return SetCode(
        request_id=request_id, origin="web", made_at=office.now(), organization="0001", number="001", sealed_code=sealed
    )  # fmt: skip


@pytest.mark.parametrize("changed", [{"number": "002"}, {"organization": "0002"}, {"request_id": "another"}])
def test_a_code_that_is_set_is_for_its_extension_alone(office: World, changed: dict[str, str]) -> None:
    """Who could change a message on its way would give their own code to an extension of somebody else."""
    office.organization("0002")
    office.desk("001", organization="0002")
    request = a_new_code(office, set_code_id(new_id(), "0001", "001"))
    with pytest.raises(SealBroken):
        office.verifying.set_code(request.model_copy(update=changed))
    assert office.verifying.set_code(request).outcome == "code_set"


def test_a_release_that_binds_a_new_code_to_the_request_alone_is_opened(office: World) -> None:
    assert office.verifying.set_code(a_new_code(office, f"web:person:1:{new_id()}")).outcome == "code_set"
    bound = a_new_code(office, set_code_id(new_id(), "0001", "001"))
    assert bound.sealed_code is not None
    assert unseal(office.settings.need("seal_private_key"), bound.request_id, bound.sealed_code) == "4711"


def test_the_id_of_a_try_is_short_enough_for_any_call() -> None:
    request_id = try_id("n" * 120, "desk002", "001")
    assert re.fullmatch(r"[\x21-\x7e]{1,160}", request_id)
    assert (
        try_id("1", "desk002", "001", "key")
        == try_id("1", "desk002", "001", "key")
        != try_id("1", "desk002", "001")
    )


def test_a_code_over_the_pepper_before_is_good_and_is_kept_over_the_new_one(office: World) -> None:
    code, before = office.codes["0001", "001"], office.settings.need("code_pepper")
    hashed = office.value("SELECT code_hash FROM extension WHERE number = '001'")
    with changed_settings(office, code_pepper=SecretStr("new"), code_pepper_before=SecretStr(before)):
        assert office.key("desk002", "001", office.wrong_code()).outcome == "wrong_code"
        assert office.value("SELECT code_hash FROM extension WHERE number = '001'") == hashed
        assert office.key("desk002", "001", code).outcome == "virtualized"
    assert office.value("SELECT code_hash FROM extension WHERE number = '001'") != hashed
    with changed_settings(office, code_pepper=SecretStr("new")):
        assert office.key("desk003", "001", code).outcome == "virtualized"
        assert office.key("desk001", "002", office.codes["0001", "002"]).outcome == "wrong_code"


def test_a_code_that_cannot_be_kept_over_the_new_pepper_now_is_right_all_the_same_and_the_log_says_so(
    office: World,
) -> None:
    before = office.settings.need("code_pepper")
    office.sql(_BUSY)
    office.sql(
        "CREATE TRIGGER busy BEFORE UPDATE OF code_hash ON extension FOR EACH ROW EXECUTE FUNCTION busy()"
    )
    changed = changed_settings(office, code_pepper=SecretStr("new"), code_pepper_before=SecretStr(before))
    with changed, capture_logs() as logs:
        assert office.sit("001", "desk002").outcome == "virtualized"
    assert [(entry["event"], entry["why"]) for entry in logs] == [
        ("code_not_hashed_anew", "database_unavailable")
    ]


#: As of a row that somebody else holds.
_BUSY = """
CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'lock_not_available'; END $$
"""


@pytest.mark.parametrize("stored", ["", "garbage"])
def test_no_code_is_right_where_what_is_stored_is_no_hash(office: World, stored: str) -> None:
    office.sql("UPDATE extension SET code_hash = %s WHERE number = '001'", stored)
    assert office.key("desk002", "001", office.codes["0001", "001"]).outcome == "wrong_code"


def test_a_code_sealed_to_the_key_before_is_opened(office: World) -> None:
    public, private = new_keys()
    before = office.settings.need("seal_private_key")
    keys = {"seal_private_key": SecretStr(private), "seal_private_key_before": SecretStr(before)}
    with changed_settings(office, **keys):  # front doors still have the old public key
        assert office.key("desk002", "001", office.codes["0001", "001"]).outcome == "virtualized"
    with changed_settings(office, seal_public_key=public, **keys):
        assert office.key("desk003", "001", office.codes["0001", "001"]).outcome == "virtualized"


@contextmanager
def changed_settings(office: World, **changes: object) -> Iterator[None]:
    """The verify worker was restarted with other settings."""
    settings, verifying = office.settings, office.verifying
    office.settings = settings.model_copy(update=changes)
    office.verifying = Verifying(office.database, office.settings)
    yield
    office.settings, office.verifying = settings, verifying
