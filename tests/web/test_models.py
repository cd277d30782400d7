"""The API's models ask for what the core asks for."""

from __future__ import annotations

from inspect import signature

import pytest
from pydantic import ValidationError

from roost.directory.nodes import NodeDirectory
from workers.web.api.cluster import NewNode
from workers.web.api.models import OrganizationChange, PhoneChange


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
