"""A bounded house: whoever only waits makes room."""

from __future__ import annotations

import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from workers.connection_limit import ConnectionLimit


def test_who_waited_longest_makes_room_and_who_is_served_stays() -> None:
    closed: list[str] = []
    limit: ConnectionLimit[str] = ConnectionLimit(3, closed.append)
    for name in ("served", "first", "second"):
        assert limit.came(name)
    limit.asked("served")
    assert limit.came("third")
    assert closed == ["first"]
    assert len(limit) == 3


def test_nobody_is_let_in_while_everybody_is_served() -> None:
    limit: ConnectionLimit[str] = ConnectionLimit(2, lambda _: None)
    for name in ("a", "b"):
        assert limit.came(name)
        limit.asked(name)
    assert not limit.came("c")
    limit.answered("a")
    assert limit.came("c")
    limit.left("c")
    assert limit.came("d")


def test_who_takes_more_than_one_address_may_makes_room_themselves() -> None:
    closed: list[str] = []
    limit: ConnectionLimit[str] = ConnectionLimit(5, closed.append, 2)
    assert limit.came("other", "192.0.2.2")
    for name in ("first", "second", "third"):
        assert limit.came(name, "192.0.2.1")
    assert closed == ["first"]
    for name in ("second", "third"):
        limit.asked(name)
    assert not limit.came("fourth", "192.0.2.1"), "nobody of theirs is idle"
    for name in ("through a proxy", "through a proxy too"):
        assert limit.came(name)
    assert closed == ["first"]
    limit.left("second")
    assert limit.came("fourth", "192.0.2.1")
    assert limit.came("another", "192.0.2.3")
    assert closed == ["first", "other"], "the house is full"


def test_a_storm_is_one_line_in_the_log() -> None:
    limit: ConnectionLimit[str] = ConnectionLimit(1, lambda _: None)
    with capture_logs() as logs:
        for number in range(10_000):
            limit.came(str(number))
    assert [entry["event"] for entry in logs] == ["house_full"]


@pytest.mark.parametrize(
    ("kind", "setting"), [("center", "ROOST_CENTER_MAX_CALLS"), ("web", "ROOST_WEB_MAX_CONNECTIONS")]
)
def test_a_process_that_may_not_open_enough_files_says_so(kind: str, setting: str) -> None:
    settings = {
        "ROOST_BROKER_URL": "amqp://127.0.0.1:1/", "ROOST_DATABASE_URL": "postgresql://127.0.0.1:1/x",
        "ROOST_SEAL_PUBLIC_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    }  # fmt: skip
    told = subprocess.run(
        ["prlimit", "--nofile=512:512", sys.executable, "-m", f"workers.{kind}"],
        env=settings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert told.returncode == 2
    assert f" {setting} asks for " in told.stderr
    assert "512" in told.stderr
    assert "Traceback" not in told.stderr
