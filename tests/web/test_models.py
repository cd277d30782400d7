"""The API's models ask for what the core asks for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

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
