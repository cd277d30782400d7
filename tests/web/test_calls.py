"""The dialogue step by step: a PBX without FastAGI."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import httpx
import pytest

from roost.people.access import Right
from tests.web.office import Office
from tests.world import new_id


def begin(api: httpx.Client, phone: str, dialled: str, call: str = "") -> Any:
    return api.post(f"/calls/{call or new_id()}", json={"phone": phone, "dialled": dialled}).json()


def go_on(api: httpx.Client, step: Any, digits: str, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"state": step["state"], "digits": digits}
    return api.post(f"/calls/{step['call']}/keyed", json=body, headers=headers).json()


def test_a_call_virtualizes_with_the_right_code(office: Office) -> None:
    api = office.api(Right.OPERATE, "0001")
    step = begin(api, "desk002", "*30001")
    assert (step["do"], step["play"], step["max_digits"]) == ("collect", "code", 8)
    step = go_on(api, step, "0")
    assert (step["do"], step["play"]) == ("collect", "code_again")
    done = go_on(api, step, office.world.codes["0001", "001"])
    assert (done["do"], done["outcome"]) == ("end", "virtualized")
    assert office.world.guests() == {"desk002": "001"}
    assert begin(api, "desk002", "*30")["outcome"] == "returned"


def test_three_wrong_codes_drop_the_call_though_the_state_is_sent_again(office: Office) -> None:
    api = office.api(Right.OPERATE)
    step = begin(api, "desk002", "*30001")
    outcomes = [go_on(api, step, "0000").get("outcome") for _ in range(3)]
    assert outcomes == [None, None, "dropped"]
    assert go_on(api, step, office.world.codes["0001", "001"])["outcome"] == "dropped"
    assert office.world.guests() == {}


def test_a_repeated_step_is_not_another_try(office: Office) -> None:
    api = office.api(Right.OPERATE)
    step = begin(api, "desk002", "*30001")
    key = new_id()
    for _ in range(5):
        assert go_on(api, step, "0000", key)["play"] == "code_again"
    assert office.world.value("SELECT tries FROM call") == 1


def test_one_star_30_sent_twice_is_one_return(office: Office) -> None:
    office.world.sit("001", "desk002")
    office.world.sit("002", "desk003")
    api, call = office.api(Right.OPERATE), new_id()
    assert [begin(api, "desk002", "*30", call)["outcome"] for _ in range(2)] == ["returned"] * 2
    assert office.world.guests() == {"desk003": "002"}


def send(api: httpx.Client, call: str, phone: str, dialled: str) -> tuple[int, str]:
    """The status, and what the call came to or why it is refused."""
    answer = api.post(f"/calls/{call}", json={"phone": phone, "dialled": dialled})
    return answer.status_code, answer.json().get("outcome") or answer.json()["code"]


REUSED = (422, "request_id_reused")


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (("desk002", "*30"), ("desk003", "*30")),
        (("desk002", "*30"), ("desk002", "*30002")),
        (("desk002", "*30"), ("desk0002-001", "*30")),
        (("desk002", "*30099"), ("desk002", "*30098")),
        (("desk002", "*30099"), ("desk003", "*30099")),
        (("desk002", "*30002"), ("desk002", "*30")),
    ],
)
def test_a_name_that_another_call_had_is_refused_and_nothing_is_done(
    office: Office, before: tuple[str, str], now: tuple[str, str]
) -> None:
    api, call = office.api(Right.OPERATE, "0001"), new_id()
    first = send(api, call, *before)
    assert first[0] == 200
    office.world.sit("001", "desk002")
    office.world.sit("002", "desk003")
    assert send(api, call, *now) == REUSED
    assert office.world.guests() == {"desk002": "001", "desk003": "002"}
    assert send(api, call, *before) == first


def test_a_name_that_the_same_call_had_long_ago_is_refused(office: Office) -> None:
    """The PBX counts its calls, and began anew: nobody sends the same again after an hour."""
    api, call, key = office.api(Right.OPERATE), new_id(), new_id()
    step = begin(api, "desk002", "*30001")
    code = office.world.codes["0001", "001"]
    assert go_on(api, step, code, key)["outcome"] == "virtualized"
    assert send(api, call, "desk002", "*30") == (200, "returned")
    office.world.sql("UPDATE journal SET at = at - interval '59 minutes'")
    assert send(api, call, "desk002", "*30") == (200, "returned")
    assert go_on(api, step, code, key)["outcome"] == "virtualized"
    office.world.sql("UPDATE journal SET at = at - interval '2 minutes'")
    office.world.sit("001", "desk002")
    assert send(api, call, "desk002", "*30") == REUSED
    office.world.bring_home("001")
    assert go_on(api, step, code, key)["code"] == "request_id_reused"
    assert office.world.guests() == {}


def test_another_organizations_phone_is_as_unknown_as_one_that_is_not(office: Office) -> None:
    api = office.api(Right.OPERATE, "0001")
    theirs, nobodys = (begin(api, phone, "*30001") for phone in ("desk0002-001", "ghost"))
    assert theirs | {"call": ""} == nobodys | {"call": ""}
    assert theirs["outcome"] == "unknown_phone"


def test_a_call_from_a_phone_it_may_not_know_is_written_down_for_its_own_organization_alone(
    office: Office,
) -> None:
    api, call = office.api(Right.OPERATE, "0001"), new_id()
    step = begin(api, "desk002", "*30001")
    state = urlsafe_b64encode(b'["desk0002-001", "*30001", 3]').rstrip(b"=").decode()
    assert [begin(api, "desk0002-001", "*30001", call)["outcome"] for _ in range(2)] == ["unknown_phone"] * 2
    assert go_on(api, step | {"state": state}, "4711")["outcome"] == "unknown_phone"
    assert begin(api, "desk0002-001", "*30")["outcome"] == "unknown_phone"
    rows = office.world.rows(
        "SELECT operation, organization, extension, phone, asked_from, outcome FROM journal ORDER BY at"
    )
    asked = ("0001", "001", "desk0002-001", "desk0002-001", "unknown_phone")
    returned = ("0001", None, "desk0002-001", "desk0002-001", "unknown_phone")
    assert rows == [("virtualize", *asked), ("virtualize", *asked), ("return", *returned)]


@pytest.mark.parametrize("state", ["x", "bnVsbA", "WyJkZXNrMDAyIiwgIiozMDAwMSIsIC0xXQ", "WzEsMiwzXQ"])
def test_a_state_that_was_never_given_is_refused(office: Office, state: str) -> None:
    answer = office.api(Right.OPERATE).post(f"/calls/{new_id()}/keyed", json={"state": state, "digits": "1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_state")


def test_what_is_no_feature_code_ends_the_call(office: Office) -> None:
    assert begin(office.api(), "desk002", "*31001")["outcome"] == "feature_code_differs"
    assert begin(office.api(), "desk002", "*30*")["outcome"] == "bad_request"
