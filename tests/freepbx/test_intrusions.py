"""FreePBX rewrites its own keys while people move: after the next audit everything is as the database says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.freepbx.mixed_office import AD_HOC, Mixed

INTRUSIONS: dict[str, Callable[[Mixed], object]] = {
    "a fixed device is edited": lambda house: house.box().edit("1002"),
    "an ad hoc device is edited": lambda house: house.box().edit(AD_HOC),
    "its database is reset": lambda house: house.box().reset(),
    "its dialplan is reloaded": lambda house: house.box().cli("dialplan reload"),
    "somebody logs off": lambda house: house.box().log_off("1002"),
}


@contextmanager
def moving(house: Mixed, number: str, *phones: str) -> Iterator[None]:
    """Somebody moves from phone to phone, as fast as it goes."""
    over = threading.Event()
    failed: list[str] = []

    def move() -> None:
        while not over.is_set():
            for phone in phones:
                answer = house.world.move(number, phone)
                if answer.outcome != "virtualized":
                    failed.append(answer.outcome)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        yield
    finally:
        over.set()
        mover.join(10)
    assert not failed


@pytest.mark.parametrize("what", INTRUSIONS)
def test_after_the_next_audit_all_is_as_the_database_says(mixed: Mixed, what: str) -> None:
    mixed.sit("1001", "1002")
    mixed.sit("2001", AD_HOC)
    with moving(mixed, "1101", "1001", "1102"):
        for _ in range(3):
            INTRUSIONS[what](mixed)
    mixed.settled()
    mixed.audit()
    mixed.agree()
    assert mixed.box().lamp("1001").startswith("PJSIP/1002&Custom:DND1001")
    assert mixed.box().lamp("2001").startswith(f"PJSIP/{AD_HOC}&Custom:DND2001")
    mixed.reaches("1102", "1001", "1002")
    assert mixed.reaches("1002", "2002", "2002") == ("1001", "Person 1001")


def test_after_a_restart_all_is_as_the_database_says(mixed: Mixed) -> None:
    """AstDB is as it was, perhaps a second older; the lamps are those of the file until the audit."""
    mixed.sit("1001", "1002")
    with moving(mixed, "1101", "1001", "1102"):
        mixed.box().kill()
        mixed.box().start()
    mixed.bring_back("f1")
    mixed.settled()
    mixed.audit()
    mixed.agree()
    assert mixed.box().lamp("1001").startswith("PJSIP/1002&Custom:DND1001")
    mixed.reaches("1102", "1001", "1002")
