"""What a lost connection to the broker is called."""

from __future__ import annotations

import errno
import os

import pytest
from kombu.exceptions import OperationalError

from tasks.broker import why_broker_lost


@pytest.mark.parametrize(
    "number", [errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN, errno.ECONNABORTED, errno.EINVAL]
)
def test_whoever_ends_a_connection_is_said_to_have_ended_it_at_whichever_step_it_is_noticed(
    number: int,
) -> None:
    """A socket that the other end has reset meanwhile cannot be set up any more: Linux says `EINVAL`."""
    error = OperationalError("lost")
    error.__cause__ = OSError(number, os.strerror(number))
    assert why_broker_lost(error).startswith("It ended the connection")


def test_an_address_that_nobody_has_is_not_reached() -> None:
    assert "(No route to host)" in why_broker_lost(OSError(errno.EHOSTUNREACH, "No route to host"))
