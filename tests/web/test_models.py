"""The API's models ask for what the core asks for, and its page names what it may answer."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import pytest
from pydantic import ValidationError

from roost.directory.nodes import NodeDirectory
from roost.errors import RoostError, SettingMissing, Unavailable
from workers.web.api.cluster import NewNode
from workers.web.api.models import OrganizationChange, PhoneChange
from workers.web.problems import _BY_STATUS, _REFUSED


@pytest.mark.parametrize("location", ["x" * 256, "\N{GRINNING FACE}" * 64])
def test_an_emergency_location_is_bounded_in_bytes(location: str) -> None:
    assert PhoneChange(emergency_location=location).given() == {"emergency_location": location}
    with pytest.raises(ValidationError):
        PhoneChange(emergency_location=location + "x")


def test_the_number_of_wrong_codes_that_lock_is_bounded() -> None:
    assert OrganizationChange(lock_after=1000).given() == {"lock_after": 1000}
    with pytest.raises(ValidationError):
        OrganizationChange(lock_after=1001)


def test_what_a_new_node_may_have_is_what_the_directory_takes() -> None:
    taken = set(signature(NodeDirectory.add_node).parameters) | {"username"}  # which goes among the options
    assert set(NewNode.model_fields) <= taken


#: What no request of the API comes to: what the page, the command line or a worker alone may hear.
_NEVER = {"agi_protocol", "bad_kind", "conflict", "database_not_empty", "database_unfit", "no_desks", "node_refused", "node_tls", "not_signed_in", "seal_broken", "stale_form", "too_many_tries", "wrong_password"}  # fmt: skip


def test_the_codes_of_all_refusals_are_in_its_page() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
    refusals = {
        kind.code
        for kind in _all_of(RoostError)
        if kind.__module__.startswith(("roost.", "workers.web."))
        and not issubclass(kind, Unavailable | SettingMissing)
    }
    refusals |= {outcome.value for outcome in _REFUSED} | set(_BY_STATUS.values())
    assert {code for code in refusals - _NEVER - {"error"} if f"`{code}`" not in page} == set()


def _all_of(kind: type[RoostError]) -> Iterator[type[RoostError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _all_of(each)
